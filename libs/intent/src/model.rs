//! The classifier: one sparse row of small integer weights a feature, summed.

use std::sync::OnceLock;

/// A model file that does not follow the format.
#[derive(Debug, thiserror::Error)]
#[error("the model is damaged: {0}")]
pub struct BadModel(&'static str);

/// A linear model over hashed features with 8-bit weights.
///
/// File format, little endian: magic `GIM1`, u64 hash of the training data, f32 scale (logit of one unit), u16 number of
/// classes, each name as u8 length and bytes, u32 number of buckets, then for each bucket u8 count (255 escapes to u16), then
/// for all entries u8 class and i8 weight in the order of buckets.
#[derive(Debug)]
pub struct Model {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Hash of the data it was trained on.
    pub data_hash: u64,
    /// Logit of one unit of weight.
    pub scale: f32,
    starts: Vec<u32>,
    entries: Vec<(u8, i8)>,
}

impl Model {
    /// The model built into this crate.
    pub fn shipped() -> &'static Model {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| Model::parse(include_bytes!("../model/intents.gim")).expect("the shipped model is well formed, a test checks it"))
    }

    /// A model from dense rows: `rows[bucket][class]`.
    pub fn from_rows(classes: Vec<String>, data_hash: u64, scale: f32, rows: &[Vec<(u8, i8)>]) -> Model {
        let mut starts = Vec::with_capacity(rows.len() + 1);
        let mut entries = Vec::new();
        for r in rows {
            starts.push(entries.len() as u32);
            entries.extend_from_slice(r);
        }
        starts.push(entries.len() as u32);
        Model { classes, data_hash, scale, starts, entries }
    }

    /// Reads the file format.
    pub fn parse(bytes: &[u8]) -> Result<Model, BadModel> {
        let mut r = Reader { bytes };
        if r.take(4)? != b"GIM1" {
            return Err(BadModel("wrong magic"));
        }
        let data_hash = u64::from_le_bytes(r.array()?);
        let scale = f32::from_le_bytes(r.array()?);
        let n = u16::from_le_bytes(r.array()?) as usize;
        let mut classes = Vec::with_capacity(n);
        for _ in 0..n {
            let len = r.take(1)?[0] as usize;
            classes.push(std::str::from_utf8(r.take(len)?).map_err(|_| BadModel("a name is not UTF-8"))?.to_owned());
        }
        let buckets = u32::from_le_bytes(r.array()?) as usize;
        if buckets > 1 << 20 {
            return Err(BadModel("too many buckets"));
        }
        let mut starts = Vec::with_capacity(buckets + 1);
        let mut total = 0u32;
        for _ in 0..buckets {
            starts.push(total);
            let mut count = u32::from(r.take(1)?[0]);
            if count == 255 {
                count = u32::from(u16::from_le_bytes(r.array()?));
            }
            total += count;
        }
        starts.push(total);
        let data = r.take(total as usize * 2)?;
        let entries: Vec<(u8, i8)> = data.chunks_exact(2).map(|c| (c[0], c[1] as i8)).collect();
        if entries.iter().any(|(c, _)| *c as usize >= n) {
            return Err(BadModel("a weight names a class that is not there"));
        }
        Ok(Model { classes, data_hash, scale, starts, entries })
    }

    /// Writes the file format.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = b"GIM1".to_vec();
        out.extend(self.data_hash.to_le_bytes());
        out.extend(self.scale.to_le_bytes());
        out.extend((self.classes.len() as u16).to_le_bytes());
        for c in &self.classes {
            out.push(c.len() as u8);
            out.extend(c.as_bytes());
        }
        out.extend((self.starts.len() as u32 - 1).to_le_bytes());
        for w in self.starts.windows(2) {
            let n = w[1] - w[0];
            if n >= 255 {
                out.push(255);
                out.extend((n as u16).to_le_bytes());
            } else {
                out.push(n as u8);
            }
        }
        for (c, w) in &self.entries {
            out.extend([*c, *w as u8]);
        }
        out
    }

    /// The logit of every class for a set of features.
    pub fn logits(&self, features: &[u32]) -> Vec<f32> {
        let mut sums = vec![0i32; self.classes.len()];
        for &f in features {
            let f = f as usize;
            if f + 1 >= self.starts.len() {
                continue;
            }
            for &(c, w) in &self.entries[self.starts[f] as usize..self.starts[f + 1] as usize] {
                sums[c as usize] += i32::from(w);
            }
        }
        sums.iter().map(|s| *s as f32 * self.scale).collect()
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], BadModel> {
        if n > self.bytes.len() {
            return Err(BadModel("it ends too soon"));
        }
        let (a, b) = self.bytes.split_at(n);
        self.bytes = b;
        Ok(a)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadModel> {
        self.take(N)?.try_into().map_err(|_| BadModel("it ends too soon"))
    }
}
