/* Which edges of the instrumented code were taken: gcc calls this at each basic block. */

#include <stdint.h>

#define PLACES 65536

uint8_t fastgraph_taken[PLACES];
static __thread uintptr_t before;

void __sanitizer_cov_trace_pc(void)
{
    uintptr_t here = (uintptr_t)__builtin_return_address(0);
    here = (here >> 4 ^ here << 8) & (PLACES - 1);
    fastgraph_taken[(here ^ before) & (PLACES - 1)] = 1;
    before = here >> 1;
}
