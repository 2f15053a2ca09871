/* The names of a variant's registers on x86, for loops that compilers turn into slower code than the processor has
 * instructions for. `variants.h` includes this before a file of kernels, and once more after it, which undefines the
 * names. Without REGISTER the same loops are left to the compiler.
 *
 * CHOICES(name, of)     declares a table of three floats, of[0] to of[2]; of[3] is read too
 * CHOSEN(name, which)   returns in each lane the entry of that table whose number, 0 to 2, the lane of `which` holds
 * OUTSIDE(w, low, high) is 0 if low <= w <= high in every lane
 * MEMBERS(members, bit) returns -1 in each lane of two bytes that has the bit, and 0 in the others */
#if defined(__x86_64__) && !defined(REGISTER)

#define REGISTER_LANES FIELD_LANES
#if FIELD_LANES == 4
#define REGISTER __m128
#define WHOLES __m128i
#define MM(name) _mm_##name
#define LOAD_WHOLES(from) _mm_loadu_si128((const __m128i *)(from))
#define STORE_WHOLES(to, wholes) _mm_storeu_si128((__m128i *)(to), wholes)
#define NO_WHOLES _mm_setzero_si128()
#define SIZE_BITS _mm_castsi128_ps(_mm_set1_epi32(INT32_MAX)) /* all of a float but its sign */
#define WHERE(whole, wholes) _mm_cmpeq_epi32(wholes, _mm_set1_epi32(whole)) /* all bits of a lane, or none */
#define CHOICES(name, of)                                                                                           \
    const __m128 name##_0 = _mm_set1_ps((of)[0]), name##_1 = _mm_xor_ps(_mm_set1_ps((of)[1]), name##_0),            \
                 name##_2 = _mm_xor_ps(_mm_set1_ps((of)[2]), name##_0)
#define CHOSEN(name, which)                                                                                         \
    _mm_xor_ps(name##_0, _mm_or_ps(_mm_and_ps(_mm_castsi128_ps(WHERE(1, which)), name##_1),                         \
                                   _mm_and_ps(_mm_castsi128_ps(WHERE(2, which)), name##_2)))
#define OUTSIDE(w, low, high) _mm_movemask_ps(_mm_or_ps(_mm_cmplt_ps(w, low), _mm_cmpgt_ps(w, high)))
#define MEMBERS(members, bit) _mm_cmpeq_epi16(_mm_and_si128(members, bit), bit)
#elif FIELD_LANES == 8
#define REGISTER __m256
#define WHOLES __m256i
#define MM(name) _mm256_##name
#define LOAD_WHOLES(from) _mm256_loadu_si256((const __m256i *)(from))
#define STORE_WHOLES(to, wholes) _mm256_storeu_si256((__m256i *)(to), wholes)
#define NO_WHOLES _mm256_setzero_si256()
#define SIZE_BITS _mm256_castsi256_ps(_mm256_set1_epi32(INT32_MAX))
#define CHOICES(name, of) const __m256 name = _mm256_set_m128(_mm_loadu_ps(of), _mm_loadu_ps(of))
#define CHOSEN(name, which) _mm256_permutevar_ps(name, which)
#define OUTSIDE(w, low, high)                                                                                       \
    _mm256_movemask_ps(_mm256_or_ps(_mm256_cmp_ps(w, low, _CMP_LT_OQ), _mm256_cmp_ps(w, high, _CMP_GT_OQ)))
#define MEMBERS(members, bit) _mm256_cmpeq_epi16(_mm256_and_si256(members, bit), bit)
#else
#define REGISTER __m512
#define WHOLES __m512i
#define MM(name) _mm512_##name
#define LOAD_WHOLES(from) _mm512_loadu_si512(from)
#define STORE_WHOLES(to, wholes) _mm512_storeu_si512(to, wholes)
#define NO_WHOLES _mm512_setzero_si512()
#define SIZE_BITS _mm512_castsi512_ps(_mm512_set1_epi32(INT32_MAX))
#define CHOICES(name, of) const __m512 name = _mm512_broadcast_f32x4(_mm_loadu_ps(of))
#define CHOSEN(name, which) _mm512_permutevar_ps(name, which)
#define OUTSIDE(w, low, high)                                                                                       \
    (_mm512_cmp_ps_mask(w, low, _CMP_LT_OQ) | _mm512_cmp_ps_mask(w, high, _CMP_GT_OQ))
#define MEMBERS(members, bit) _mm512_maskz_set1_epi16(_mm512_test_epi16_mask(members, bit), -1)
#endif

#elif defined(REGISTER)

#undef REGISTER
#undef REGISTER_LANES
#undef WHOLES
#undef MM
#undef LOAD_WHOLES
#undef STORE_WHOLES
#undef NO_WHOLES
#undef SIZE_BITS
#undef WHERE
#undef CHOICES
#undef CHOSEN
#undef OUTSIDE
#undef MEMBERS

#endif
