"""The C of an exported network, part by part, as templates that only numbers are put into."""

OPENING = """\
/* A first-spike network in whole numbers, written by spikenn_cy {version}.
 *
 * {sizes} neurons. Weights have {bits} bits, spike times {levels} levels.
 * Constant: {weight_bytes} bytes of weights, {threshold_bytes} bytes of thresholds.
 * Changed by decisions: {state_bytes} bytes.
 *
 * Include this header in one C file and call spikenn_classify for each sample. It allocates nothing, computes in
 * integers alone, and keeps its potentials in static memory, so that one sample is decided at a time. No sum can
 * overflow: that was seen when the network was quantised. As a program that reads samples from a file:
 *
 *     cc -std=c99 -O2 -DSPIKENN_MAIN -x c THIS_FILE -o classify && ./classify samples.txt
 *
{classes}
 */
#ifndef SPIKENN_NETWORK_H
#define SPIKENN_NETWORK_H

#include <stdint.h>

#define SPIKENN_INPUTS {n_inputs}
#define SPIKENN_CLASSES {n_classes}
/* Levels of time: a spike at `time` is of level floor(time / {max_time} * SPIKENN_LEVELS). Silent inputs have none. */
#define SPIKENN_LEVELS {levels}

"""

WEIGHT = {
    8: """\
/* Returns a weight; each is a byte. */
static inline int32_t spikenn_weight(const int8_t *table, uint32_t number)
{
    return table[number];
}
""",
    4: """\
/* Returns a weight; a byte has two, the first in its low half, each with its sign. */
static inline int32_t spikenn_weight(const uint8_t *table, uint32_t number)
{
    const int32_t field = (table[number >> 1] >> (4 * (number & 1))) & 15;
    return field < 8 ? field : field - 16;
}
""",
    2: """\
/* Returns a weight; a byte has four, the first in its low bits, each with its sign. */
static inline int32_t spikenn_weight(const uint8_t *table, uint32_t number)
{
    const int32_t field = (table[number >> 2] >> (2 * (number & 3))) & 3;
    return field < 2 ? field : field - 4;
}
""",
}

DENSE_WEIGHTS = "for each of {0} inputs those of {1} neurons"
CONV_WEIGHTS = "for each of {0} channels, {1} rows and {2} columns from right to left those of {3} filters"

ARRAYS = """
/* Layer {k}. Weights: {what}. One unit is 2^{unit} of the trained weights. */
static const {kind} spikenn_weights_{k}[{n_weights}] = {{
{weights}
}};
static const int32_t spikenn_thresholds_{k}[{n_thresholds}] = {{
{thresholds}
}};
static int32_t spikenn_potentials_{k}[{n_potentials}];
"""

CHARGE_DENSE = """
/* Adds the weights of one spike of unit `i` below to layer {k}. */
static void spikenn_charge_{k}(int32_t i)
{{
    const uint32_t row = (uint32_t)i * {n_units};
    int32_t j;
    for (j = 0; j < {n_units}; j++) {{
        spikenn_potentials_{k}[j] += spikenn_weight(spikenn_weights_{k}, row + (uint32_t)j);
    }}
}}
"""

FIRE_DENSE = """
/* Lets the neurons of layer {k} fire that are above their threshold for the first time; returns how many. */
static uint8_t spikenn_has_fired_{k}[{n_units}];
static int32_t spikenn_fire_{k}(void)
{{
    int32_t j, n_fired = 0;
    for (j = 0; j < {n_units}; j++) {{
        if (!spikenn_has_fired_{k}[j] && spikenn_potentials_{k}[j] > spikenn_thresholds_{k}[j]) {{
            spikenn_has_fired_{k}[j] = 1;
            spikenn_charge_{above}(j);
            n_fired++;
        }}
    }}
    return n_fired;
}}
"""

CHARGE_CONV = """
/* Adds the weights of one spike of input `i`, which is (y * {columns} + x) * {channels} + c, to all positions of
 * layer {k} that have it in their field. Potentials are in the order row, column, filter. Notes for each row of pools,
 * of {pool} x {pool} positions, the first and the last that is charged. */
static int32_t spikenn_first_{k}[{pool_rows}];
static int32_t spikenn_last_{k}[{pool_rows}];
static void spikenn_charge_{k}(int32_t i)
{{
    const int32_t cell = i / {channels}, channel = i % {channels};
    const int32_t bottom = cell / {columns} + {padding}, right = cell % {columns} + {padding};
    const int32_t above = bottom - {size} + 1, before = right - {size} + 1;
    const int32_t top = above > 0 ? above : 0, left = before > 0 ? before : 0;
    const int32_t low = bottom < {pool_rows} * {pool} ? bottom : {pool_rows} * {pool} - 1;
    const int32_t end = right < {pool_columns} * {pool} ? right : {pool_columns} * {pool} - 1;
    int32_t y, j;
    if (left > end) {{
        return;
    }}
    for (y = top; y <= low; y++) {{
        const int32_t place = (y * {pool_columns} * {pool} + left) * {n_filters};
        const uint32_t row = (uint32_t)(((channel * {size} + bottom - y) * {size} + left - before) * {n_filters});
        for (j = 0; j < (end - left + 1) * {n_filters}; j++) {{
            spikenn_potentials_{k}[place + j] += spikenn_weight(spikenn_weights_{k}, row + (uint32_t)j);
        }}
        if (spikenn_first_{k}[y / {pool}] > left / {pool}) {{
            spikenn_first_{k}[y / {pool}] = left / {pool};
        }}
        if (spikenn_last_{k}[y / {pool}] < end / {pool}) {{
            spikenn_last_{k}[y / {pool}] = end / {pool};
        }}
    }}
}}
"""

FIRE_CONV = """
/* Lets the units of layer {k} fire of which one position is above the threshold of its filter for the first time;
 * returns how many. A unit has {pool} x {pool} positions; units are in the order row, column, filter. */
static uint8_t spikenn_has_fired_{k}[{pool_rows} * {pool_columns} * {n_filters}];
static int32_t spikenn_fire_{k}(void)
{{
    int32_t y, x, f, row, column, n_fired = 0;
    for (y = 0; y < {pool_rows}; y++) {{
        for (x = spikenn_first_{k}[y]; x <= spikenn_last_{k}[y]; x++) {{
            for (f = 0; f < {n_filters}; f++) {{
                const int32_t unit = (y * {pool_columns} + x) * {n_filters} + f;
                int32_t largest = 0;
                for (row = y * {pool}; row < (y + 1) * {pool}; row++) {{
                    for (column = x * {pool}; column < (x + 1) * {pool}; column++) {{
                        const int32_t place = (row * {pool_columns} * {pool} + column) * {n_filters} + f;
                        if (spikenn_potentials_{k}[place] > largest) {{
                            largest = spikenn_potentials_{k}[place];
                        }}
                    }}
                }}
                if (!spikenn_has_fired_{k}[unit] && largest > spikenn_thresholds_{k}[f]) {{
                    spikenn_has_fired_{k}[unit] = 1;
                    spikenn_charge_{above}(unit);
                    n_fired++;
                }}
            }}
        }}
        spikenn_first_{k}[y] = {pool_columns};
        spikenn_last_{k}[y] = -1;
    }}
    return n_fired;
}}
"""

DECIDING = """
/* Returns the class of the output neuron with the largest potential, the first of equals, or -1 if there is none. Looks
 * at those above their threshold, or at all. */
static int spikenn_winner(int all)
{{
    int32_t j, best = -1;
    for (j = 0; j < {n_units}; j++) {{
        if (!all && spikenn_potentials_{k}[j] <= spikenn_thresholds_{k}[j]) {{
            continue;
        }}
        if (best < 0 || spikenn_potentials_{k}[j] > spikenn_potentials_{k}[best]) {{
            best = j;
        }}
    }}
    return best < 0 ? -1 : (int)(best / {n_per_class});
}}
"""

RESET = """\
    for (j = 0; j < {n_potentials}; j++) {{
        spikenn_potentials_{k}[j] = 0;
    }}
    for (j = 0; j < {n_units}; j++) {{
        spikenn_has_fired_{k}[j] = 0;
    }}
"""
RESET_OUTPUT = """\
    for (j = 0; j < {n_units}; j++) {{
        spikenn_potentials_{k}[j] = 0;
    }}
"""
TOUCH_NOTHING = """\
    for (j = 0; j < {rows}; j++) {{
        spikenn_first_{k}[j] = {columns};
        spikenn_last_{k}[j] = -1;
    }}
"""
STEP = """\
        if (spikenn_fire_{k}() == 0) {{
            continue;
        }}
"""

CLASSIFY = """
/* Decides one sample.
 *
 * inputs: of its `n` spikes, in order of time; each below SPIKENN_INPUTS, each once.
 * times: the level of each spike, below SPIKENN_LEVELS, none below the one before.
 * decision_time: becomes the level of the first output spike, or SPIKENN_LEVELS if there is none, in which case the
 *     largest potential decides. Spikes after the decision are not looked at.
 *
 * Returns the class, or -1 if an input or a time is not as it has to be.
 */
int spikenn_classify(const uint16_t *inputs, const uint8_t *times, int n, int *decision_time)
{{
    int32_t j;
    int k = 0, winner;
{resets}    *decision_time = SPIKENN_LEVELS;
    while (k < n) {{
        const int32_t now = times[k];
        if (now >= SPIKENN_LEVELS) {{
            return -1;
        }}
        /* All spikes of one level, before any threshold is tested. */
        while (k < n && times[k] == now) {{
            const int32_t input = inputs[k];
            if (input >= SPIKENN_INPUTS) {{
                return -1;
            }}
            spikenn_charge_0(input);
            k++;
        }}
        if (k < n && times[k] < now) {{
            return -1;
        }}
{steps}        winner = spikenn_winner(0);
        if (winner >= 0) {{
            *decision_time = (int)now;
            return winner;
        }}
    }}
    return spikenn_winner(1);
}}
"""

MAIN = """
#ifdef SPIKENN_MAIN
#include <stdio.h>

/* Reads samples from a file of text, whole numbers apart by white space: of each sample the number of spikes, then the
 * input and the level of each in order of time. Prints the class and the decision time of each. */
int main(int argc, char **argv)
{
    static uint16_t inputs[SPIKENN_INPUTS];
    static uint8_t times[SPIKENN_INPUTS];
    long n, k, input, level, sample = 0;
    FILE *file;
    if (argc != 2) {
        fprintf(stderr, "usage: %s SAMPLES\\n", argv[0]);
        return 2;
    }
    file = fopen(argv[1], "r");
    if (file == NULL) {
        fprintf(stderr, "%s: must be a readable file\\n", argv[1]);
        return 2;
    }
    while (fscanf(file, "%ld", &n) == 1) {
        int winner = -1, decision_time = 0;
        for (k = 0; n <= SPIKENN_INPUTS && k < n; k++) {
            if (fscanf(file, "%ld %ld", &input, &level) != 2 || input < 0 || input > 65535 || level < 0 ||
                level > 255) {
                break;
            }
            inputs[k] = (uint16_t)input;
            times[k] = (uint8_t)level;
        }
        if (n >= 0 && k == n) {
            winner = spikenn_classify(inputs, times, (int)n, &decision_time);
        }
        if (winner < 0) {
            fprintf(stderr, "%s: sample %ld: must be inputs and levels in order of time\\n", argv[1], sample);
            fclose(file);
            return 2;
        }
        printf("%d %d\\n", winner, decision_time);
        sample++;
    }
    k = feof(file);
    fclose(file);
    if (!k) {
        fprintf(stderr, "%s: sample %ld: must begin with a number of spikes\\n", argv[1], sample);
        return 2;
    }
    return 0;
}
#endif

#endif
"""
