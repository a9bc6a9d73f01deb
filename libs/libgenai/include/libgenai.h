/* libgenai: applications' way to genaid, the AI service of GenAI OS.
 *
 * All texts are UTF-8 and end with a zero byte. Functions return GENAI_OK or an error below; genai_last_error() says
 * what went wrong in words. Calls from several threads wait for each other.
 *
 * Build with: cc app.c $(pkg-config --cflags --libs libgenai)
 */
#ifndef LIBGENAI_H
#define LIBGENAI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    GENAI_OK = 0,
    GENAI_ERROR_ARGUMENT = -1,    /* an argument makes no sense */
    GENAI_ERROR_STATE = -2,       /* genai_app_init was not called, or twice */
    GENAI_ERROR_SERVICE = -3,     /* genaid does not run, or went away */
    GENAI_ERROR_NO_MODEL = -4,    /* no model is installed */
    GENAI_ERROR_LIMIT = -5,       /* too much, too long */
    GENAI_ERROR_DENIED = -6,      /* no rule allows it */
    GENAI_ERROR_BACKEND = -7,     /* the model or the endpoint failed */
    GENAI_ERROR_UNSUPPORTED = -8  /* this system has no such thing */
};

/* 0.1 (silent) to 1.0 (proactive). */
typedef double consciousness_level_t;

/* Where answers may come from; 0: as genaid is set; both: local first, the endpoint where that is unsure. */
typedef uint32_t ai_integration_flags_t;
#define GENAI_AI_LOCAL 1u
#define GENAI_AI_CLOUD 2u

typedef struct {
    const char *subject;          /* what the user is learning here; may be NULL */
} educational_context_t;

typedef struct {
    const char *purpose;          /* what requests are for, in a word that rules name; NULL: "app" */
} security_context_t;

typedef struct {
    consciousness_level_t initial_level;
    ai_integration_flags_t ai_flags;
    educational_context_t *edu_context;      /* may be NULL */
    security_context_t *security_context;    /* may be NULL */
} genai_app_config_t;

typedef struct {
    consciousness_level_t level;
} consciousness_state_t;

typedef void (*consciousness_callback_t)(const consciousness_state_t *state);

typedef struct {
    const char *prompt;           /* what the user says */
    const char *system;           /* what the model is told first; may be NULL */
    const char *grammar;          /* the answer matches this GBNF grammar; may be NULL */
    const char *session;          /* conversation to go on with; may be NULL */
    uint32_t max_tokens;          /* 0: 256 */
    float temperature;            /* 0: the likeliest answer */
    uint32_t timeout_ms;          /* what is there by then is the answer; 0: no limit */
} ai_request_t;

enum { GENAI_SOURCE_LOCAL = 0, GENAI_SOURCE_CLOUD = 1, GENAI_SOURCE_CACHE = 2 };
enum { GENAI_FINISH_STOP = 0, GENAI_FINISH_LENGTH = 1, GENAI_FINISH_CANCELLED = 2 };

typedef struct {
    char *text;                   /* free with genai_response_free() */
    size_t length;                /* bytes of text */
    double confidence;            /* 0 to 1 */
    uint32_t source;              /* GENAI_SOURCE_... */
    uint32_t finish;              /* GENAI_FINISH_... */
    uint32_t tokens;
    double first_token_ms;
    double total_ms;
} ai_response_t;

typedef struct {
    const char *subject;          /* what is learnt, e.g. "shell.pipes" */
    double fraction;              /* how much of it, 0 to 1 */
    double score;                 /* result of an exercise, 0 to 1; below 0: none */
} educational_progress_t;

/* Connects this process to genaid. */
int genai_app_init(genai_app_config_t *config);
/* The callback is called when the system's self-model changes. A system that publishes none answers
 * GENAI_ERROR_UNSUPPORTED. NULL takes the callback away. */
int genai_app_register_consciousness_callback(consciousness_callback_t callback);
/* Asks and waits for the answer. On an error *response is left as it was. */
int genai_app_get_ai_response(ai_request_t *request, ai_response_t *response);
/* Records how far the user is. */
int genai_app_update_educational_progress(educational_progress_t *progress);
/* Ends the connection. */
void genai_app_cleanup(void);

/* Frees an answer's text. */
void genai_response_free(ai_response_t *response);
/* What went wrong in this thread's last call; valid until its next. */
const char *genai_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
