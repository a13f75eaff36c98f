// Determinants of many square matrices: as many side by side as a vector has lanes.
//
// Element e of the matrix in lane l is at e * LANES + l. Rows are eliminated as if they were columns (a matrix
// and its transpose have one determinant), so that the numbers of which the pivot is the largest lie side by
// side. A pivot is the first of the largest, as in LAPACK; below a pivot of zero, nothing is eliminated.
#ifndef EZNAS_DETERMINANTS
#define EZNAS_DETERMINANTS

#include <ATen/cpu/vec/vec.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>

namespace eznas {

using Vector = at::vec::Vectorized<float>;
constexpr int64_t LANES = Vector::size();

// A product rounded before it is subtracted leaves zero of rows in proportion, as in LAPACK, more often; large
// matrices are seldom singular by chance, and one rounding is more exact.
constexpr int64_t SMALLEST_FUSED_ORDER = 24;

template <bool fused>
inline Vector eliminated(Vector multiplier, Vector factor, Vector old) {
  return fused ? at::vec::fmadd(multiplier, factor, old) : old + multiplier * factor;
}

inline Vector at(const float* workspace, int64_t element) {
  return Vector::loadu(workspace + element * LANES);
}

inline void put(float* workspace, int64_t element, Vector number) {
  number.store(workspace + element * LANES);
}

// Put matrices side by side; the last one also into the lanes that are left.
inline void load(const float* source, int64_t count, int64_t size, float* workspace) {
  int64_t element = 0;
  if (count == LANES) {
    for (; element + LANES <= size; element += LANES) {
      at::vec::transpose_mxn<float, LANES, LANES>(source + element, size, workspace + element * LANES, LANES);
    }
  }
  for (; element < size; ++element) {
    for (int64_t lane = 0; lane < LANES; ++lane) {
      workspace[element * LANES + lane] = source[(lane < count ? lane : count - 1) * size + element];
    }
  }
}

// 1 in the lanes of matrices without NaN and infinity, else NaN.
inline Vector unless_finite(const float* workspace, int64_t size) {
  Vector first(0), second(0);
  int64_t element = 0;
  for (; element + 2 <= size; element += 2) {
    first = at::vec::fmadd(at(workspace, element), Vector(0), first);
    second = at::vec::fmadd(at(workspace, element + 1), Vector(0), second);
  }
  for (; element < size; ++element) {
    first = at::vec::fmadd(at(workspace, element), Vector(0), first);
  }
  return first + second + Vector(1);
}

// Choose the pivot of a column, exchange it to its place and turn the rest into negated multipliers; the masks
// say which row it came from. Gives the sign of the determinant after the exchange.
inline Vector choose_pivot(
    float* column, int64_t order, int64_t step, float* masks, float* pivots, Vector sign) {
  const Vector displaced = at(column, step);
  Vector pivot = displaced;
  Vector largest = displaced.abs();
  Vector place(static_cast<float>(step));
  for (int64_t row = step + 1; row < order; ++row) {
    const Vector number = at(column, row);
    const Vector size = number.abs();
    const Vector larger = size > largest;
    largest = Vector::blendv(largest, size, larger);
    pivot = Vector::blendv(pivot, number, larger);
    place = Vector::blendv(place, Vector(static_cast<float>(row)), larger);
  }
  put(pivots, step, pivot);
  const Vector divisor = Vector::blendv(pivot, Vector(1), pivot == Vector(0)).neg();
  for (int64_t row = step + 1; row < order; ++row) {
    const Vector here = place == Vector(static_cast<float>(row));
    put(masks, row, here);
    // A product with the reciprocal would not leave exactly zero of equal numbers.
    put(column, row, Vector::blendv(at(column, row), displaced, here) / divisor);
  }
  const Vector stays = place == Vector(static_cast<float>(step));
  put(masks, step, stays);
  return Vector::blendv(sign.neg(), sign, stays);
}

// Eliminate in columns, and exchange the rows of the next pivot on the way, so that each number is read and
// written once a step. The pivot's row is kept apart.
template <bool fused, int64_t columns>
inline void update(
    const float* multipliers, float* first, int64_t order, int64_t step, const float* masks, float* pivot_row) {
  Vector factors[columns], displaced[columns], found[columns];
  const Vector multiplier = at(multipliers, step);
  const Vector stays = at(masks, step);
  for (int64_t each = 0; each < columns; ++each) {
    factors[each] = at(pivot_row, each);
    displaced[each] = eliminated<fused>(multiplier, factors[each], at(first, each * order + step));
    found[each] = displaced[each] & stays;
  }
  for (int64_t row = step + 1; row < order; ++row) {
    const Vector below = at(multipliers, row);
    const Vector mask = at(masks, row);
    for (int64_t each = 0; each < columns; ++each) {
      const Vector number = eliminated<fused>(below, factors[each], at(first, each * order + row));
      found[each] = found[each] | (number & mask);
      put(first, each * order + row, Vector::blendv(number, displaced[each], mask));
    }
  }
  for (int64_t each = 0; each < columns; ++each) {
    put(pivot_row, each, found[each]);
  }
}

// Find the pivots: their product times the sign given back is the determinant.
template <bool fused>
inline Vector eliminate(float* workspace, int64_t order, float* masks, float* pivot_row, float* pivots) {
  Vector sign = choose_pivot(workspace, order, 0, masks, pivots, Vector(1));
  for (int64_t column = 1; column < order; ++column) {
    float* numbers = workspace + column * order * LANES;
    const Vector displaced = at(numbers, 0);
    Vector found = displaced & at(masks, 0);
    for (int64_t row = 1; row < order; ++row) {
      const Vector number = at(numbers, row);
      const Vector mask = at(masks, row);
      found = found | (number & mask);
      put(numbers, row, Vector::blendv(number, displaced, mask));
    }
    put(pivot_row, column, found);
  }
  for (int64_t step = 1; step < order; ++step) {
    const float* multipliers = workspace + (step - 1) * order * LANES;
    float* numbers = workspace + step * order * LANES;
    const Vector factor = at(pivot_row, step);
    for (int64_t row = step; row < order; ++row) {
      put(numbers, row, eliminated<fused>(at(multipliers, row), factor, at(numbers, row)));
    }
    sign = choose_pivot(numbers, order, step, masks, pivots, sign);
    int64_t column = step + 1;
    for (; column + 2 <= order; column += 2) {
      update<fused, 2>(
          multipliers, workspace + column * order * LANES, order, step, masks, pivot_row + column * LANES);
    }
    if (column < order) {
      update<fused, 1>(
          multipliers, workspace + column * order * LANES, order, step, masks, pivot_row + column * LANES);
    }
  }
  return sign;
}

// The determinant of each matrix, NaN of one that holds NaN or infinity; or, behind each other, the sign of all
// determinants and the logarithm of their absolute values.
template <bool logarithms>
inline void determinants(const float* source, float* result, int64_t count, int64_t order) {
  const int64_t size = order * order;
  const auto memory = std::make_unique<float[]>((size + 3 * order) * LANES);
  float* workspace = memory.get();
  float* masks = workspace + size * LANES;
  float* pivot_row = masks + order * LANES;
  float* pivots = pivot_row + order * LANES;
  for (int64_t first = 0; first < count; first += LANES) {
    const int64_t here = std::min(count - first, LANES);
    load(source + first * size, here, size, workspace);
    const Vector finite = unless_finite(workspace, size);
    Vector sign = order < SMALLEST_FUSED_ORDER ? eliminate<false>(workspace, order, masks, pivot_row, pivots)
                                               : eliminate<true>(workspace, order, masks, pivot_row, pivots);
    sign = sign * finite;
    // The range of float64 takes most products that pass beyond float32 and come back.
    double total[LANES];
    for (int64_t lane = 0; lane < LANES; ++lane) {
      total[lane] = logarithms ? 0.0 : 1.0;
    }
    for (int64_t step = 0; step < order; ++step) {
      const Vector pivot = at(pivots, step);
      sign = logarithms ? sign * Vector::blendv(Vector(1), Vector(-1), pivot < Vector(0)) : sign;
      float numbers[LANES];
      (logarithms ? pivot.abs().log() : pivot).store(numbers);
      for (int64_t lane = 0; lane < LANES; ++lane) {
        total[lane] = logarithms ? total[lane] + numbers[lane] : total[lane] * numbers[lane];
      }
    }
    float signs[LANES];
    sign.store(signs);
    for (int64_t lane = 0; lane < here; ++lane) {
      if (logarithms) {
        result[first + lane] = std::isinf(total[lane]) ? signs[lane] * 0.0f : signs[lane];
        result[count + first + lane] = static_cast<float>(total[lane]) * (signs[lane] * signs[lane]);
      } else {
        result[first + lane] = static_cast<float>(total[lane] * signs[lane]);
      }
    }
  }
}

}  // namespace eznas

#endif
