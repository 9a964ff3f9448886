// Expression: a comparison of two sums over a record's numeric fields, such as `a + b = c`.
//
//   comparison = sum ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=") sum
//   sum        = product {("+" | "-") product}
//   product    = factor {("*" | "/") factor}
//   factor     = "-" factor | number | field | "abs" "(" sum ")" | "(" sum ")"
//   field      = letter or "_", then letters, digits, "_" and "."; or any name in backquotes
//
// Compiled once to a postfix program, which runs over blocks of rows: one pass a block and
// operation, so that the compiler makes vector code of it. Thread-safety: none. Cost: about 1 ns a
// row and operation, no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/result.h"

namespace driftd::rules {

class Expression {
 public:
  static constexpr std::uint32_t kBlock = 64;
  static constexpr std::size_t kMaxText = 1000;  // bytes
  static constexpr int kMaxDepth = 32;           // of brackets

  // kInvalidArgument with the column (from 1) of what is wrong: syntax, no such field, a field that
  // is not numeric.
  static Result<Expression> parse(std::string_view text, const Schema& schema);

  // Of each row of a block: the difference left - right, and whether there is one (no operand
  // without a value, no division by 0, no overflow).
  struct Block {
    std::array<double, kBlock> difference;
    std::array<std::uint8_t, kBlock> valid;
  };
  // Precondition: size <= kBlock and begin + size <= rows.
  void evaluate(const Batch& batch, std::uint32_t begin, std::uint32_t size, Block& out);

  // Does the comparison hold for this difference, give or take `tolerance`?
  bool holds(double difference, double tolerance) const;

 private:
  enum class Op : std::uint8_t { kNumber, kField, kAdd, kSubtract, kMultiply, kDivide, kNegate, kAbs };
  enum class Comparison : std::uint8_t { kEqual, kUnequal, kLess, kAtMost, kMore, kAtLeast };
  struct Step {
    Op op;
    double number;      // kNumber
    std::size_t field;  // kField
  };
  using Lane = std::array<double, kBlock>;
  class Parser;

  void apply(Op op, std::size_t top, Block& out);

  std::vector<Step> program_;  // leaves left and right on the stack
  Comparison comparison_ = Comparison::kEqual;
  std::vector<Lane> stack_;  // as deep as the program needs
};

}  // namespace driftd::rules
