/* SPDX-License-Identifier: MIT */
#include "refusal.h"

#include <string.h>

static const struct {
    const char *word;
    const char *title;
    const char *advice;
} answers[] = {
#define AS_ROW(name, word, title, advice) [ANSWER_##name] = {word, title, advice},
    PUBLIC_ANSWERS(AS_ROW)
#undef AS_ROW
};

static const struct {
    int status;
    enum public_answer answer;
    const char *word;
} refusals[REFUSAL_COUNT] = {[REFUSAL_NONE] = {200, ANSWER_FAILED, "none"},
#define AS_ROW(name, status, answer, word) [REFUSAL_##name] = {status, ANSWER_##answer, word},
                             REFUSALS(AS_ROW)
#undef AS_ROW
};

int refusal_status(enum refusal refusal)
{
    return refusals[refusal].status;
}

enum public_answer refusal_answer(enum refusal refusal)
{
    return refusals[refusal].answer;
}

const char *refusal_title(enum refusal refusal)
{
    return answers[refusals[refusal].answer].title;
}

const char *refusal_advice(enum refusal refusal)
{
    return answers[refusals[refusal].answer].advice;
}

const char *refusal_word(enum refusal refusal)
{
    return refusals[refusal].word;
}

enum refusal refusal_find(const char *word)
{
    for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
        if (strcmp(refusals[i].word, word) == 0)
            return (enum refusal)i;
    return REFUSAL_NONE;
}

const char *answer_word(enum public_answer answer)
{
    return answers[answer].word;
}

const char *answer_title(enum public_answer answer)
{
    return answers[answer].title;
}

const char *answer_advice(enum public_answer answer)
{
    return answers[answer].advice;
}
