/* SPDX-License-Identifier: MIT */

/* Prints the table of refusals as doc/refusals.md shows it. */
#include "base/refusal.h"

#include <stdio.h>

int main(void)
{
    (void)printf("    %-6s  %-28s  %s\n", "status", "what the client sees", "word in the log");
    (void)printf("    %-6s  %-28s  %s\n", "------", "--------------------", "---------------");
    for (int refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++)
        (void)printf("    %-6d  %-28s  %s\n", refusal_status((enum refusal)refusal),
                     refusal_title((enum refusal)refusal), refusal_word((enum refusal)refusal));
    return 0;
}
