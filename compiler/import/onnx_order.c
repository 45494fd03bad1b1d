/* onnx_order.c - the order in which nodes can be computed, in time linear in nodes and edges. */
#include "import/onnx.h"

#include <string.h>

/* From any node that was never ready, the way back along unready nodes must come round. */
static uint32_t
find_circle(struct arena *a, uint32_t nodes, const uint32_t *first, const uint32_t *needs,
            const uint32_t *waiting, uint32_t *circle)
{
    uint32_t *step = ARENA_ARRAY(a, uint32_t, nodes); /* 1 + the step at which the node was met */
    uint32_t n = 0, at = 0, len = 0;

    while (!waiting[n])
        n++;
    while (!step[n]) {
        step[n] = ++len;
        circle[len - 1] = n;
        for (uint32_t k = first[n]; k < first[n + 1]; k++)
            if (waiting[needs[k]]) {
                n = needs[k];
                break;
            }
    }
    at = step[n] - 1;
    memmove(circle, circle + at, (len - at) * sizeof *circle);
    return len - at;
}

static bool
sorted(uint32_t nodes, const uint32_t *first, const uint32_t *needs)
{
    for (uint32_t n = 0; n < nodes; n++)
        for (uint32_t k = first[n]; k < first[n + 1]; k++)
            if (needs[k] >= n)
                return false;
    return true;
}

bool
onnx_order(struct arena *a, uint32_t nodes, const uint32_t *first, const uint32_t *needs,
           uint32_t *order, uint32_t *circle, uint32_t *n_circle)
{
    uint32_t edges = first[nodes], done = 0, len = 0;
    uint32_t *waiting = ARENA_ARRAY(a, uint32_t, (size_t)nodes + 1); /* for so many inputs */
    uint32_t *start = ARENA_ARRAY(a, uint32_t, (size_t)nodes + 2);   /* readers of n: */
    uint32_t *readers =
        ARENA_ARRAY(a, uint32_t, (size_t)edges + 1); /* start[n] .. start[n + 1] - 1 */

    if (sorted(nodes, first, needs)) {
        for (uint32_t n = 0; n < nodes; n++)
            order[n] = n;
        return true;
    }
    for (uint32_t k = 0; k < edges; k++)
        start[needs[k] + 2]++;
    for (uint32_t n = 0; n < nodes; n++)
        start[n + 1] += start[n];
    for (uint32_t n = 0; n < nodes; n++)
        for (uint32_t k = first[n]; k < first[n + 1]; k++)
            readers[start[needs[k] + 1]++] = n;
    for (uint32_t n = 0; n < nodes; n++) {
        waiting[n] = first[n + 1] - first[n];
        if (!waiting[n])
            order[len++] = n;
    }
    for (; done < len; done++)
        for (uint32_t k = start[order[done]]; k < start[order[done] + 1]; k++)
            if (--waiting[readers[k]] == 0)
                order[len++] = readers[k];
    if (len == nodes)
        return true;
    *n_circle = find_circle(a, nodes, first, needs, waiting, circle);
    return false;
}
