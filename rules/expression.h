// Expression: a comparison between fields, compiled once to a small postfix program.
//
//   comparison = sum ("=" | "!=" | "<" | "<=" | ">" | ">=") sum
//   sum        = product (("+" | "-") product)*
//   product    = factor (("*" | "/") factor)*
//   factor     = number | field | "(" sum ")" | "-" factor | "abs" "(" sum ")"
//
// Field names are letters, digits, _ and . ; others stand in backquotes. Evaluation allocates nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/result.h"

namespace driftd::rules {

class Expression {
 public:
  // The Error says what was expected at which character.
  static Result<Expression> parse(std::string_view text, const Schema& schema);

  enum class Outcome { kHolds, kBroken, kUnknown };  // unknown: a field without a value, or x / 0
  // `difference` is left minus right where known.
  Outcome evaluate(const Batch& batch, std::uint32_t row, double tolerance, double& difference) const;

  static constexpr std::size_t kMaxSteps = 256;
  static constexpr std::size_t kMaxStack = 32;

 private:
  friend class ExpressionParser;
  enum class Op : std::uint8_t { kNumber, kField, kAdd, kSubtract, kMultiply, kDivide, kNegate, kAbs };
  enum class Compare : std::uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  struct Step {
    Op op;
    double number = 0;
    std::size_t field = 0;
  };
  std::vector<Step> steps_;  // leaves left and right on the stack
  Compare compare_ = Compare::kEqual;
};

}  // namespace driftd::rules
