/* The names of a variant's registers on x86, for loops that compilers turn into slower code than the processor has
 * instructions for. Included by `variant.h`, and once more at its end to take the names back. Without REGISTER the
 * same loops are left to the compiler. */
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
#define NO_LATER(a, b, then, otherwise)                                                                             \
    _mm_or_ps(_mm_and_ps(_mm_cmple_ps(a, b), then), _mm_andnot_ps(_mm_cmple_ps(a, b), otherwise))
#define WHERE_NO_LATER(a, b) _mm_castps_si128(_mm_cmple_ps(a, b)) /* all bits of a lane, or none */
#define BOTH(a, b) _mm_or_si128(a, b)
#define ANY_OF(wholes) (_mm_movemask_epi8(wholes) != 0)
#elif FIELD_LANES == 8
#define REGISTER __m256
#define WHOLES __m256i
#define MM(name) _mm256_##name
#define LOAD_WHOLES(from) _mm256_loadu_si256((const __m256i *)(from))
#define STORE_WHOLES(to, wholes) _mm256_storeu_si256((__m256i *)(to), wholes)
#define NO_WHOLES _mm256_setzero_si256()
#define SIZE_BITS _mm256_castsi256_ps(_mm256_set1_epi32(INT32_MAX))
#define NO_LATER(a, b, then, otherwise) _mm256_blendv_ps(otherwise, then, _mm256_cmp_ps(a, b, _CMP_LE_OQ))
#define WHERE_NO_LATER(a, b) _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LE_OQ))
#define BOTH(a, b) _mm256_or_si256(a, b)
#define ANY_OF(wholes) (!_mm256_testz_si256(wholes, wholes))
#else
#define REGISTER __m512
#define WHOLES __m512i
#define MM(name) _mm512_##name
#define LOAD_WHOLES(from) _mm512_loadu_si512(from)
#define STORE_WHOLES(to, wholes) _mm512_storeu_si512(to, wholes)
#define NO_WHOLES _mm512_setzero_si512()
#define SIZE_BITS _mm512_castsi512_ps(_mm512_set1_epi32(INT32_MAX))
#define NO_LATER(a, b, then, otherwise) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LE_OQ), otherwise, then)
#define WHERE_NO_LATER(a, b) _mm512_maskz_set1_epi32(_mm512_cmp_ps_mask(a, b, _CMP_LE_OQ), -1)
#define BOTH(a, b) _mm512_or_si512(a, b)
#define ANY_OF(wholes) (_mm512_test_epi32_mask(wholes, wholes) != 0)
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
#undef NO_LATER
#undef WHERE_NO_LATER
#undef BOTH
#undef ANY_OF

#endif
