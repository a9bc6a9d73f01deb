//! The metadata of The Update Framework, specification 1.0: four roles, each signed, each with a version and an end.

use std::collections::{BTreeMap, HashSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::RepositoryError;
use super::time::Time;
use crate::digest::{Digest, from_hex, to_hex};
use crate::keys::{KeyId, PublicKey, SecretKey};

/// Whose word counts for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Says which keys have which role. Its keys are kept away from machines.
    Root,
    /// Says, often, which snapshot is the current one.
    Timestamp,
    /// Says which versions of the lists belong together.
    Snapshot,
    /// Says which packages there are.
    Targets,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Role::Root, Role::Timestamp, Role::Snapshot, Role::Targets];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Role::Root => "root",
            Role::Timestamp => "timestamp",
            Role::Snapshot => "snapshot",
            Role::Targets => "targets",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A document and the signatures over it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub signatures: Vec<Signature>,
    /// As it came: what is signed is this, with unknown fields.
    pub signed: serde_json::Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Signature {
    pub keyid: String,
    pub sig: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    pub keytype: String,
    pub scheme: String,
    pub keyval: KeyValue,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeyValue {
    pub public: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RoleKeys {
    pub keyids: Vec<String>,
    pub threshold: u32,
}

/// What every role's document begins with.
pub(super) trait Document: Serialize + DeserializeOwned {
    const ROLE: Role;
    fn version(&self) -> u64;
    fn expires(&self) -> Time;
    fn kind(&self) -> &str;
    fn spec(&self) -> &str;
}

macro_rules! document {
    ($name:ident, $role:expr, { $($field:ident : $type:ty),* }) => {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub(super) struct $name {
            #[serde(rename = "_type")]
            pub kind: String,
            pub spec_version: String,
            pub version: u64,
            pub expires: Time,
            $(pub $field: $type),*
        }

        impl Document for $name {
            const ROLE: Role = $role;

            fn version(&self) -> u64 {
                self.version
            }

            fn expires(&self) -> Time {
                self.expires
            }

            fn kind(&self) -> &str {
                &self.kind
            }

            fn spec(&self) -> &str {
                &self.spec_version
            }
        }
    };
}

document!(Root, Role::Root, { consistent_snapshot: bool, keys: BTreeMap<String, Key>, roles: BTreeMap<Role, RoleKeys> });
document!(Timestamp, Role::Timestamp, { meta: BTreeMap<String, Meta> });
document!(Snapshot, Role::Snapshot, { meta: BTreeMap<String, Meta> });
document!(Targets, Role::Targets, { targets: BTreeMap<String, Target> });

pub(super) const SPEC: &str = "1.0.31";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Meta {
    pub version: u64,
    pub length: u64,
    pub hashes: Hashes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Target {
    pub length: u64,
    pub hashes: Hashes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Hashes {
    pub sha512: Digest,
}

pub(super) fn malformed(role: Role, reason: impl std::fmt::Display) -> RepositoryError {
    RepositoryError::Malformed { what: format!("the {role} metadata"), reason: reason.to_string() }
}

/// The bytes that are signed: canonical JSON.
fn canonical(role: Role, signed: &serde_json::Value) -> Result<Vec<u8>, RepositoryError> {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, olpc_cjson::CanonicalFormatter::new());
    signed.serialize(&mut serializer).map_err(|error| malformed(role, error))?;
    Ok(text)
}

impl Root {
    /// Checks that `envelope` is signed by enough keys of `role`.
    pub fn verify(&self, role: Role, envelope: &Envelope) -> Result<(), RepositoryError> {
        let keys = self.roles.get(&role).ok_or_else(|| malformed(Role::Root, format!("it has no role {role}")))?;
        let message = canonical(role, &envelope.signed)?;
        let mut valid: HashSet<[u8; 32]> = HashSet::new();
        for signature in &envelope.signatures {
            if !keys.keyids.contains(&signature.keyid) {
                continue;
            }
            let key = self.keys.get(&signature.keyid).filter(|key| key.keytype == "ed25519" && key.scheme == "ed25519");
            let key = key.and_then(|key| from_hex(&key.keyval.public)).and_then(|bytes| PublicKey::from_bytes(&bytes));
            // Counted by the key itself: one key under two names is still one.
            if let (Some(key), Some(sig)) = (key, from_hex(&signature.sig))
                && key.verifies(&message, &sig)
            {
                valid.insert(key.to_bytes());
            }
        }
        let valid = u32::try_from(valid.len()).unwrap_or(u32::MAX);
        if keys.threshold == 0 || valid < keys.threshold {
            return Err(RepositoryError::Signatures { role, valid, threshold: keys.threshold.max(1) });
        }
        Ok(())
    }

    /// The keys of a role.
    pub fn role_keys(&self, role: Role) -> Vec<Option<&Key>> {
        self.roles.get(&role).map(|it| it.keyids.iter().map(|id| self.keys.get(id)).collect()).unwrap_or_default()
    }
}

/// Reads an envelope without trusting it.
pub(super) fn open(role: Role, text: &[u8]) -> Result<Envelope, RepositoryError> {
    serde_json::from_slice(text).map_err(|error| malformed(role, error))
}

/// The document in an envelope, which must be of the right kind.
pub(super) fn document<D: Document>(envelope: &Envelope) -> Result<D, RepositoryError> {
    let document: D = serde_json::from_value(envelope.signed.clone()).map_err(|error| malformed(D::ROLE, error))?;
    if document.kind() != D::ROLE.name() {
        return Err(malformed(D::ROLE, format!("it is of the kind {:?}", document.kind())));
    }
    if !document.spec().starts_with("1.") {
        return Err(malformed(D::ROLE, format!("it follows version {:?} of the specification", document.spec())));
    }
    Ok(document)
}

/// Signs a document.
pub(super) fn sign<D: Document>(document: &D, keys: &[SecretKey]) -> Result<Vec<u8>, RepositoryError> {
    let signed = serde_json::to_value(document).map_err(|error| malformed(D::ROLE, error))?;
    let message = canonical(D::ROLE, &signed)?;
    let signatures = keys.iter().map(|key| Signature { keyid: key.public().id().to_string(), sig: to_hex(&key.sign(&message)) }).collect();
    serde_json::to_vec_pretty(&Envelope { signatures, signed }).map_err(|error| malformed(D::ROLE, error))
}

/// A key as metadata lists it.
pub(super) fn key_entry(key: &PublicKey) -> (String, Key) {
    let value = Key { keytype: "ed25519".into(), scheme: "ed25519".into(), keyval: KeyValue { public: to_hex(&key.to_bytes()) } };
    (key.id().to_string(), value)
}

/// The name of a key.
pub(super) fn key_name(id: KeyId) -> String {
    id.to_string()
}
