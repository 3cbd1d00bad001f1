/* The inner loops of synthesis for WebAssembly, where numpy has neither a matrix library nor vector instructions.

   Built by tools/make_kernel.py into kernel.wasm, which runs inside the memory of the Python that calls it: pointers
   are addresses of numpy arrays. So nothing here may need memory of its own: no data, no stack, no library.
   Arrays are contiguous unless strides are given, strides count numbers and not bytes. kernel.py says what each
   function means, and does the same with numpy where there is no WebAssembly. */

#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))

typedef unsigned char byte;

static inline v128_t mul_add(v128_t sum, v128_t a, v128_t b) { return wasm_f32x4_add(sum, wasm_f32x4_mul(a, b)); }

static inline float across(v128_t v) {
    return (wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1)) +
           (wasm_f32x4_extract_lane(v, 2) + wasm_f32x4_extract_lane(v, 3));
}

/* out (m, n) = a (m, k) b (k, n). Rows of a may lie apart by any stride, and so may its columns. */

static inline void times_row(float *out, const float *a, int column, const float *b, int k, int n) {
    int c = 0;
    for (; c + 4 <= n; c += 4) {
        v128_t sum = wasm_f32x4_splat(0);
        for (int x = 0; x < k; x++) sum = mul_add(sum, wasm_f32x4_splat(a[x * column]), wasm_v128_load(b + x * n + c));
        wasm_v128_store(out + c, sum);
    }
    for (; c < n; c++) {
        float sum = 0;
        for (int x = 0; x < k; x++) sum += a[x * column] * b[x * n + c];
        out[c] = sum;
    }
}

EXPORT(times)
void times(float *out, const float *a, int row, int column, const float *b, int m, int k, int n) {
    int r = 0;
    for (; r + 4 <= m; r += 4) {
        const float *a0 = a + r * row, *a1 = a0 + row, *a2 = a1 + row, *a3 = a2 + row;
        float *out0 = out + r * n;
        int c = 0;
        for (; c + 8 <= n; c += 8) {
            v128_t s00 = wasm_f32x4_splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
            const float *beside = b + c;
            for (int x = 0; x < k; x++, beside += n) {
                v128_t b0 = wasm_v128_load(beside), b1 = wasm_v128_load(beside + 4);
                v128_t w = wasm_f32x4_splat(a0[x * column]);
                s00 = mul_add(s00, w, b0), s01 = mul_add(s01, w, b1);
                w = wasm_f32x4_splat(a1[x * column]);
                s10 = mul_add(s10, w, b0), s11 = mul_add(s11, w, b1);
                w = wasm_f32x4_splat(a2[x * column]);
                s20 = mul_add(s20, w, b0), s21 = mul_add(s21, w, b1);
                w = wasm_f32x4_splat(a3[x * column]);
                s30 = mul_add(s30, w, b0), s31 = mul_add(s31, w, b1);
            }
            float *to = out0 + c;
            wasm_v128_store(to, s00), wasm_v128_store(to + 4, s01), to += n;
            wasm_v128_store(to, s10), wasm_v128_store(to + 4, s11), to += n;
            wasm_v128_store(to, s20), wasm_v128_store(to + 4, s21), to += n;
            wasm_v128_store(to, s30), wasm_v128_store(to + 4, s31);
        }
        for (; c < n; c++) {
            float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            for (int x = 0; x < k; x++) {
                float beside = b[x * n + c];
                s0 += a0[x * column] * beside, s1 += a1[x * column] * beside;
                s2 += a2[x * column] * beside, s3 += a3[x * column] * beside;
            }
            out0[c] = s0, out0[n + c] = s1, out0[2 * n + c] = s2, out0[3 * n + c] = s3;
        }
    }
    for (; r < m; r++) times_row(out + r * n, a + r * row, column, b, k, n);
}

static inline float dot(const float *a, const float *b, int k) {
    v128_t sum = wasm_f32x4_splat(0);
    int x = 0;
    for (; x + 4 <= k; x += 4) sum = mul_add(sum, wasm_v128_load(a + x), wasm_v128_load(b + x));
    float rest = 0;
    for (; x < k; x++) rest += a[x] * b[x];
    return across(sum) + rest;
}

/* Dot products of four rows of a with two of b. */
#define FOUR_BY_TWO(a, b0, b1, k)                                                                        \
    v128_t s00 = wasm_f32x4_splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00; \
    int x = 0;                                                                                           \
    for (; x + 4 <= k; x += 4) {                                                                         \
        v128_t v0 = wasm_v128_load(b0 + x), v1 = wasm_v128_load(b1 + x);                                 \
        v128_t w = wasm_v128_load(a + x);                                                                \
        s00 = mul_add(s00, w, v0), s01 = mul_add(s01, w, v1);                                            \
        w = wasm_v128_load(a + k + x);                                                                   \
        s10 = mul_add(s10, w, v0), s11 = mul_add(s11, w, v1);                                            \
        w = wasm_v128_load(a + 2 * k + x);                                                               \
        s20 = mul_add(s20, w, v0), s21 = mul_add(s21, w, v1);                                            \
        w = wasm_v128_load(a + 3 * k + x);                                                               \
        s30 = mul_add(s30, w, v0), s31 = mul_add(s31, w, v1);                                            \
    }                                                                                                    \
    float d00 = across(s00), d01 = across(s01), d10 = across(s10), d11 = across(s11);                    \
    float d20 = across(s20), d21 = across(s21), d30 = across(s30), d31 = across(s31);                    \
    for (; x < k; x++) {                                                                                 \
        d00 += a[x] * b0[x], d01 += a[x] * b1[x];                                                        \
        d10 += a[k + x] * b0[x], d11 += a[k + x] * b1[x];                                                \
        d20 += a[2 * k + x] * b0[x], d21 += a[2 * k + x] * b1[x];                                        \
        d30 += a[3 * k + x] * b0[x], d31 += a[3 * k + x] * b1[x];                                        \
    }

/* out (m, n) = a (m, k) times the transpose of b (n, k). */
EXPORT(by_rows)
void by_rows(float *out, const float *a, const float *b, int m, int k, int n) {
    int r = 0;
    for (; r + 4 <= m; r += 4) {
        const float *left = a + r * k;
        float *to = out + r * n;
        int c = 0;
        for (; c + 2 <= n; c += 2) {
            const float *b0 = b + c * k, *b1 = b0 + k;
            FOUR_BY_TWO(left, b0, b1, k)
            to[c] = d00, to[c + 1] = d01;
            to[n + c] = d10, to[n + c + 1] = d11;
            to[2 * n + c] = d20, to[2 * n + c + 1] = d21;
            to[3 * n + c] = d30, to[3 * n + c + 1] = d31;
        }
        for (; c < n; c++)
            for (int i = 0; i < 4; i++) to[i * n + c] = dot(left + i * k, b + c * k, k);
    }
    for (; r < m; r++)
        for (int c = 0; c < n; c++) out[r * n + c] = dot(a + r * k, b + c * k, k);
}

/* One block of triples: see kernel.TripleBlock. sums takes the gradient of the columns, pull that of both attributes of
   the rows. pairs, back (4, k) and scaled (4, width) are the caller's. Rows beyond the last of a chunk of four count as
   zeros. Returns the loss. */
EXPORT(triples)
double triples(float *sums, float *pull, const float *factors, const float *weighted, const int *first, const int *second,
               const int *columns, const float *target, const float *precision, float *pairs, float *back, float *scaled,
               int firsts, int seconds, int width, int k) {
    double loss = 0;
    int rows = firsts * seconds;
    for (int r = 0; r < rows; r += 4) {
        int some = rows - r < 4 ? rows - r : 4;
        for (int i = 0; i < 4; i++) {
            float *to = pairs + i * k;
            if (i >= some) {
                for (int x = 0; x < k; x++) to[x] = 0;
                continue;
            }
            const float *one = factors + first[(r + i) / seconds] * k, *other = factors + second[(r + i) % seconds] * k;
            int x = 0;
            for (; x + 4 <= k; x += 4) wasm_v128_store(to + x, wasm_f32x4_mul(wasm_v128_load(one + x), wasm_v128_load(other + x)));
            for (; x < k; x++) to[x] = one[x] * other[x];
        }
        int c = 0;
        for (; c + 2 <= width; c += 2) {
            const float *b0 = weighted + columns[c] * k, *b1 = weighted + columns[c + 1] * k;
            FOUR_BY_TWO(pairs, b0, b1, k)
            float *to = scaled + c;
            to[0] = d00, to[1] = d01, to[width] = d10, to[width + 1] = d11;
            to[2 * width] = d20, to[2 * width + 1] = d21, to[3 * width] = d30, to[3 * width + 1] = d31;
        }
        for (; c < width; c++)
            for (int i = 0; i < 4; i++) scaled[i * width + c] = dot(pairs + i * k, weighted + columns[c] * k, k);
        for (int i = 0; i < 4; i++) {
            float *to = scaled + i * width;
            if (i >= some) {
                for (c = 0; c < width; c++) to[c] = 0;
                continue;
            }
            const float *aim = target + (r + i) * width, *exact = precision + (r + i) * width;
            double missed = 0;
            for (c = 0; c < width; c++) {
                float error = to[c] - aim[c];
                to[c] = exact[c] * error;
                missed += to[c] * error;
            }
            loss += missed;
        }
        for (c = 0; c < width; c++) {
            float *to = sums + columns[c] * k;
            const float *s = scaled + c;
            v128_t w0 = wasm_f32x4_splat(s[0]), w1 = wasm_f32x4_splat(s[width]);
            v128_t w2 = wasm_f32x4_splat(s[2 * width]), w3 = wasm_f32x4_splat(s[3 * width]);
            int x = 0;
            for (; x + 4 <= k; x += 4) {
                v128_t sum = mul_add(wasm_v128_load(to + x), w0, wasm_v128_load(pairs + x));
                sum = mul_add(sum, w1, wasm_v128_load(pairs + k + x));
                sum = mul_add(sum, w2, wasm_v128_load(pairs + 2 * k + x));
                wasm_v128_store(to + x, mul_add(sum, w3, wasm_v128_load(pairs + 3 * k + x)));
            }
            for (; x < k; x++)
                to[x] += s[0] * pairs[x] + s[width] * pairs[k + x] + s[2 * width] * pairs[2 * k + x] + s[3 * width] * pairs[3 * k + x];
        }
        int x = 0;
        for (; x + 4 <= k; x += 4) {
            v128_t b0 = wasm_f32x4_splat(0), b1 = b0, b2 = b0, b3 = b0;
            const float *s = scaled;
            for (c = 0; c < width; c++, s++) {
                v128_t third = wasm_v128_load(factors + columns[c] * k + x);
                b0 = mul_add(b0, wasm_f32x4_splat(s[0]), third), b1 = mul_add(b1, wasm_f32x4_splat(s[width]), third);
                b2 = mul_add(b2, wasm_f32x4_splat(s[2 * width]), third), b3 = mul_add(b3, wasm_f32x4_splat(s[3 * width]), third);
            }
            wasm_v128_store(back + x, b0), wasm_v128_store(back + k + x, b1);
            wasm_v128_store(back + 2 * k + x, b2), wasm_v128_store(back + 3 * k + x, b3);
        }
        for (; x < k; x++)
            for (int i = 0; i < 4; i++) {
                float sum = 0;
                for (c = 0; c < width; c++) sum += scaled[i * width + c] * factors[columns[c] * k + x];
                back[i * k + x] = sum;
            }
        for (int i = 0; i < some; i++) {
            const float *from = back + i * k;
            int one = first[(r + i) / seconds] * k, other = second[(r + i) % seconds] * k;
            for (x = 0; x < k; x++) pull[one + x] += from[x] * factors[other + x];
            for (x = 0; x < k; x++) pull[other + x] += from[x] * factors[one + x];
        }
    }
    return loss;
}

/* out (records, width): sums over tables of the rows of local that a record stands in; rows (records, tables). */
EXPORT(scores)
void scores(float *out, const float *local, const int *rows, int records, int tables, int width) {
    for (int r = 0; r < records; r++, rows += tables, out += width) {
        int c = 0;
        for (; c + 4 <= width; c += 4) {
            v128_t sum = wasm_f32x4_splat(0);
            for (int t = 0; t < tables; t++) sum = wasm_f32x4_add(sum, wasm_v128_load(local + rows[t] * width + c));
            wasm_v128_store(out + c, sum);
        }
        for (; c + 2 <= width; c += 2) {
            float one = 0, other = 0;
            for (int t = 0; t < tables; t++) {
                const float *at = local + rows[t] * width + c;
                one += at[0], other += at[1];
            }
            out[c] = one, out[c + 1] = other;
        }
        if (c < width) {
            float sum = 0;
            for (int t = 0; t < tables; t++) sum += local[rows[t] * width + c];
            out[c] = sum;
        }
    }
}

/* Makes those moves that lower the misses, one by one, and puts them into local (rows, width). Moves are asked `ahead`
   at a time first, and those that lower the misses then are asked again when their turn comes.
   The i-th move takes record which[i] from value old to best. moved[i] says whether it was made. */

static inline byte lowers(const float *local, const int *at, int from, int to, float own, int tables, int width) {
    float gain = own;
    for (int t = 0; t < tables; t++) gain += local[at[t] * width + to] - local[at[t] * width + from];
    return gain < 0;
}

EXPORT(settle)
void settle(float *local, const int *rows, const int *which, const int *old, const int *best, const float *step, byte *moved,
            float own, int moves, int ahead, int tables, int width) {
    for (int first = 0; first < moves; first += ahead) {
        int last = first + ahead < moves ? first + ahead : moves;
        for (int i = first; i < last; i++)
            moved[i] = lowers(local, rows + which[i] * tables, old[which[i]], best[which[i]], own, tables, width);
        for (int i = first; i < last; i++) {
            const int *at = rows + which[i] * tables;
            int from = old[which[i]], to = best[which[i]];
            if (!moved[i]) continue;
            moved[i] = lowers(local, at, from, to, own, tables, width);
            if (!moved[i]) continue;
            for (int t = 0; t < tables; t++) {
                local[at[t] * width + to] += step[t];
                local[at[t] * width + from] -= step[t];
            }
        }
    }
}
