/* Asks genaid a question and records that something was learnt. */
#include <libgenai.h>
#include <stdio.h>
#include <string.h>

static int failed(const char *what) {
    fprintf(stderr, "%s: %s\n", what, genai_last_error());
    genai_app_cleanup();
    return 1;
}

static void on_change(const consciousness_state_t *state) { printf("level %.1f\n", state->level); }

int main(int argc, char **argv) {
    educational_context_t learning = {.subject = NULL};
    security_context_t security = {.purpose = "example"};
    genai_app_config_t config = {.initial_level = 0.5, .ai_flags = GENAI_AI_LOCAL, .edu_context = &learning, .security_context = &security};
    if (genai_app_init(&config) != GENAI_OK) return failed("connecting");

    int registered = genai_app_register_consciousness_callback(on_change);
    if (registered != GENAI_OK && registered != GENAI_ERROR_UNSUPPORTED) return failed("registering");

    ai_request_t request = {.prompt = argc > 1 ? argv[1] : "what is a pipe?", .max_tokens = 200};
    ai_response_t response;
    if (genai_app_get_ai_response(&request, &response) != GENAI_OK) return failed("asking");
    printf("%s\n", response.text);
    int complete = response.finish == GENAI_FINISH_STOP && strlen(response.text) == response.length;
    genai_response_free(&response);

    educational_progress_t progress = {.subject = "example.question", .fraction = 1.0, .score = complete ? 1.0 : 0.0};
    if (genai_app_update_educational_progress(&progress) != GENAI_OK) return failed("recording");
    genai_app_cleanup();
    return complete ? 0 : 2;
}
