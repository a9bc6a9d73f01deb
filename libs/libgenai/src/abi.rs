//! The C ABI, as `include/libgenai.h` describes it. One application a process; calls from several threads wait for each other.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use genai_protocol::{ClientError, Completion, ErrorCode, Finish, Message, Role, Route, Source};

use crate::{App, Config};

/// Done.
pub const GENAI_OK: c_int = 0;
/// An argument makes no sense.
pub const GENAI_ERROR_ARGUMENT: c_int = -1;
/// `genai_app_init` was not called, or twice.
pub const GENAI_ERROR_STATE: c_int = -2;
/// The service does not run or went away.
pub const GENAI_ERROR_SERVICE: c_int = -3;
/// There is no model.
pub const GENAI_ERROR_NO_MODEL: c_int = -4;
/// Too much, too long, or too late.
pub const GENAI_ERROR_LIMIT: c_int = -5;
/// No rule allows it.
pub const GENAI_ERROR_DENIED: c_int = -6;
/// The model or the endpoint failed.
pub const GENAI_ERROR_BACKEND: c_int = -7;
/// This system has no such thing.
pub const GENAI_ERROR_UNSUPPORTED: c_int = -8;

/// Only the model of this machine.
pub const GENAI_AI_LOCAL: u32 = 1;
/// Only the endpoint. With both flags: hybrid.
pub const GENAI_AI_CLOUD: u32 = 2;

/// What the user is learning.
#[repr(C)]
pub struct EducationalContext {
    /// E.g. `pipes of the shell`.
    pub subject: *const c_char,
}

/// What requests are for.
#[repr(C)]
pub struct SecurityContext {
    /// A word that rules name.
    pub purpose: *const c_char,
}

/// Of an application.
#[repr(C)]
pub struct AppConfig {
    /// 0.1 to 1.0.
    pub initial_level: f64,
    /// `GENAI_AI_...`; 0: as genaid is set.
    pub ai_flags: u32,
    /// May be null.
    pub edu_context: *mut EducationalContext,
    /// May be null.
    pub security_context: *mut SecurityContext,
}

/// A request.
#[repr(C)]
pub struct AiRequest {
    /// What the user says.
    pub prompt: *const c_char,
    /// What the model is told first; may be null.
    pub system: *const c_char,
    /// Grammar (GBNF) of the answer; may be null.
    pub grammar: *const c_char,
    /// Conversation to go on with; may be null.
    pub session: *const c_char,
    /// 0: 256.
    pub max_tokens: u32,
    /// 0: the likeliest answer.
    pub temperature: f32,
    /// 0: none.
    pub timeout_ms: u32,
}

/// An answer.
#[repr(C)]
pub struct AiResponse {
    /// Ends with a zero byte; freed by `genai_response_free`.
    pub text: *mut c_char,
    /// Bytes before that.
    pub length: usize,
    /// 0 to 1.
    pub confidence: f64,
    /// 0 local, 1 endpoint, 2 cache.
    pub source: u32,
    /// 0 complete, 1 too long, 2 cancelled or too late.
    pub finish: u32,
    /// Tokens written.
    pub tokens: u32,
    /// Milliseconds until the first token.
    pub first_token_ms: f64,
    /// Milliseconds in all.
    pub total_ms: f64,
}

/// How far the user is.
#[repr(C)]
pub struct EducationalProgress {
    /// What is learnt.
    pub subject: *const c_char,
    /// 0 to 1.
    pub fraction: f64,
    /// 0 to 1; below 0: none.
    pub score: f64,
}

/// State of the system's self-model.
#[repr(C)]
pub struct ConsciousnessState {
    /// 0.1 to 1.0.
    pub level: f64,
}

/// Called when the state changes.
pub type ConsciousnessCallback = Option<unsafe extern "C" fn(*const ConsciousnessState)>;

static APP: Mutex<Option<App>> = Mutex::new(None);

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

struct Fail(c_int, String);

impl From<ClientError> for Fail {
    fn from(e: ClientError) -> Fail {
        let code = match &e {
            ClientError::Connect { .. } | ClientError::Broken(_) | ClientError::Unexpected(_) => GENAI_ERROR_SERVICE,
            ClientError::Refused { code, .. } => match code {
                ErrorCode::BadRequest => GENAI_ERROR_ARGUMENT,
                ErrorCode::NoModel => GENAI_ERROR_NO_MODEL,
                ErrorCode::Limit => GENAI_ERROR_LIMIT,
                ErrorCode::Denied => GENAI_ERROR_DENIED,
                ErrorCode::Backend => GENAI_ERROR_BACKEND,
            },
        };
        Fail(code, e.to_string())
    }
}

fn argument(what: &str) -> Fail {
    Fail(GENAI_ERROR_ARGUMENT, what.to_owned())
}

/// Runs `f`, keeps its error for `genai_last_error`; a panic does not cross into C.
fn guarded(f: impl FnOnce() -> Result<(), Fail>) -> c_int {
    let result = catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| Err(Fail(GENAI_ERROR_BACKEND, "libgenai failed; this is an error in it".to_owned())));
    let (code, message) = match result {
        Ok(()) => (GENAI_OK, String::new()),
        Err(Fail(code, message)) => (code, message),
    };
    LAST_ERROR.with(|l| *l.borrow_mut() = CString::new(message.replace('\0', " ")).unwrap_or_default());
    code
}

/// A text of the caller's; `None` for null.
///
/// # Safety
/// `text` is null or points to a zero-terminated string that lives during the call.
unsafe fn text(text: *const c_char, what: &str) -> Result<Option<String>, Fail> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: as the caller promises.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map(|s| Some(s.to_owned())).map_err(|_| argument(&format!("{what} is not UTF-8")))
}

fn with_app(f: impl FnOnce(&mut App) -> Result<(), Fail>) -> Result<(), Fail> {
    let mut app = APP.lock().unwrap_or_else(PoisonError::into_inner);
    f(app.as_mut().ok_or_else(|| Fail(GENAI_ERROR_STATE, "genai_app_init has not been called".to_owned()))?)
}

/// Connects this process to the AI service.
///
/// # Safety
/// `config` is null or points to a valid structure, as do its pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn genai_app_init(config: *mut AppConfig) -> c_int {
    guarded(|| {
        // SAFETY: null or valid, as the caller promises.
        let config = unsafe { config.as_ref() }.ok_or_else(|| argument("config is null"))?;
        if !(0.1..=1.0).contains(&config.initial_level) {
            return Err(argument("initial_level is not between 0.1 and 1.0"));
        }
        let route = match config.ai_flags {
            0 => None,
            GENAI_AI_LOCAL => Some(Route::Local),
            GENAI_AI_CLOUD => Some(Route::Cloud),
            f if f == GENAI_AI_LOCAL | GENAI_AI_CLOUD => Some(Route::Hybrid),
            f => return Err(argument(&format!("ai_flags has unknown bits: {f:#x}"))),
        };
        let mut settings = Config { route, ..Config::default() };
        // SAFETY: null or valid, as the caller promises.
        if let Some(edu) = unsafe { config.edu_context.as_ref() } {
            // SAFETY: the same.
            settings.subject = unsafe { text(edu.subject, "edu_context.subject") }?;
        }
        // SAFETY: the same.
        if let Some(security) = unsafe { config.security_context.as_ref() } {
            // SAFETY: the same.
            if let Some(purpose) = unsafe { text(security.purpose, "security_context.purpose") }? {
                settings.purpose = purpose;
            }
        }
        let mut app = APP.lock().unwrap_or_else(PoisonError::into_inner);
        if app.is_some() {
            return Err(Fail(GENAI_ERROR_STATE, "genai_app_init has been called already".to_owned()));
        }
        *app = Some(App::new(settings)?);
        Ok(())
    })
}

/// Would call `callback` when the system's self-model changes. This version of the system publishes none, so a callback is
/// refused with `GENAI_ERROR_UNSUPPORTED`; null, which takes one away, is fine.
#[unsafe(no_mangle)]
pub extern "C" fn genai_app_register_consciousness_callback(callback: ConsciousnessCallback) -> c_int {
    guarded(|| {
        with_app(|_| match callback {
            None => Ok(()),
            Some(_) => Err(Fail(GENAI_ERROR_UNSUPPORTED, "this system publishes no consciousness state".to_owned())),
        })
    })
}

/// Asks and waits for the answer.
///
/// # Safety
/// `request` is null or points to a valid structure; `response` is null or points to memory for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn genai_app_get_ai_response(request: *mut AiRequest, response: *mut AiResponse) -> c_int {
    guarded(|| {
        // SAFETY: null or valid, as the caller promises.
        let request = unsafe { request.as_ref() }.ok_or_else(|| argument("request is null"))?;
        if response.is_null() {
            return Err(argument("response is null"));
        }
        // SAFETY: strings are null or valid, as the caller promises.
        let (prompt, system, grammar, session) = unsafe { (text(request.prompt, "prompt")?, text(request.system, "system")?, text(request.grammar, "grammar")?, text(request.session, "session")?) };
        let prompt = prompt.ok_or_else(|| argument("prompt is null"))?;
        let messages = system.map(|content| Message { role: Role::System, content }).into_iter().chain([Message { role: Role::User, content: prompt }]).collect();
        let completion = Completion {
            messages,
            grammar,
            session,
            max_tokens: if request.max_tokens == 0 { 256 } else { request.max_tokens },
            temperature: request.temperature,
            ..Completion::default()
        };
        let timeout = (request.timeout_ms > 0).then(|| Duration::from_millis(u64::from(request.timeout_ms)));
        with_app(|app| {
            let done = app.complete(completion, timeout, |_| {})?;
            let text = CString::new(done.text.replace('\0', "")).unwrap_or_default();
            let answer = AiResponse {
                length: text.as_bytes().len(),
                text: text.into_raw(),
                confidence: f64::from(done.confidence),
                source: match done.source {
                    Source::Local => 0,
                    Source::Cloud => 1,
                    Source::Cache | Source::CacheNear => 2,
                },
                finish: match done.finish {
                    Finish::Stop => 0,
                    Finish::Length => 1,
                    Finish::Cancelled | Finish::Deadline => 2,
                },
                tokens: done.tokens,
                first_token_ms: done.first_token_ms,
                total_ms: done.total_ms,
            };
            // SAFETY: not null, and memory for one, as the caller promises.
            unsafe { response.write(answer) };
            Ok(())
        })
    })
}

/// Records how far the user is in a subject.
///
/// # Safety
/// `progress` is null or points to a valid structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn genai_app_update_educational_progress(progress: *mut EducationalProgress) -> c_int {
    guarded(|| {
        // SAFETY: null or valid, as the caller promises.
        let progress = unsafe { progress.as_ref() }.ok_or_else(|| argument("progress is null"))?;
        // SAFETY: the same.
        let subject = unsafe { text(progress.subject, "subject") }?.ok_or_else(|| argument("subject is null"))?;
        let score = (progress.score >= 0.0).then_some(progress.score);
        with_app(|app| Ok(app.progress(&subject, progress.fraction, score)?))
    })
}

/// Frees an answer's text. Null, and an answer freed before, are fine.
///
/// # Safety
/// `response` is null or points to a structure that `genai_app_get_ai_response` filled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn genai_response_free(response: *mut AiResponse) {
    // SAFETY: null or valid, as the caller promises.
    if let Some(response) = unsafe { response.as_mut() } {
        let text = std::mem::replace(&mut response.text, std::ptr::null_mut());
        response.length = 0;
        if !text.is_null() {
            // SAFETY: made by `into_raw`, and freed only once: it is null from now on.
            drop(unsafe { CString::from_raw(text) });
        }
    }
}

/// What went wrong in this thread's last call; empty where nothing did. Valid until its next call.
#[unsafe(no_mangle)]
pub extern "C" fn genai_last_error() -> *const c_char {
    LAST_ERROR.with(|l| l.borrow().as_ptr())
}

/// Ends the connection.
#[unsafe(no_mangle)]
pub extern "C" fn genai_app_cleanup() {
    *APP.lock().unwrap_or_else(PoisonError::into_inner) = None;
}
