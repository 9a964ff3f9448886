#include "rules/expression.h"

#include <algorithm>
#include <cmath>

#include "rules/expression_parser.h"

namespace driftd::rules {

Result<Expression> Expression::parse(std::string_view text, const Schema& schema) {
  Expression expression;
  Parser parser(text, schema, expression);
  if (const Status s = parser.run(); !s) return s.error();
  const auto& steps = expression.program_;
  if (std::none_of(steps.begin(), steps.end(), [](const Step& s) { return s.op == Op::kField; }))
    return Error{ErrorCode::kInvalidArgument, "'expression' names no field, so it is the same for every record"};
  return expression;
}

void Expression::evaluate(const Batch& batch, std::uint32_t begin, std::uint32_t size, Block& out) {
  out.valid.fill(1);
  std::size_t top = 0;  // lanes in use
  for (const Step& step : program_) {
    if (step.op == Op::kNumber) {
      stack_[top++].fill(step.number);
    } else if (step.op == Op::kField) {
      const Column& column = batch.columns[step.field];
      Lane& lane = stack_[top++];
      for (std::uint32_t i = 0; i < size; ++i) {
        const bool valid = column.cells[begin + i] == Cell::kValid;
        lane[i] = valid ? column.numbers[begin + i] : 0;
        out.valid[i] &= static_cast<std::uint8_t>(valid);
      }
    } else {
      apply(step.op, top, out);
      if (step.op != Op::kNegate && step.op != Op::kAbs) --top;
    }
  }
  for (std::uint32_t i = 0; i < size; ++i) {
    out.difference[i] = stack_[0][i] - stack_[1][i];
    out.valid[i] &= static_cast<std::uint8_t>(std::isfinite(out.difference[i]));
  }
}

// Always over whole blocks, of which the rest is not used: a constant count makes vector code.
void Expression::apply(Op op, std::size_t top, Block& out) {
  Lane& b = stack_[top - 1];
  if (op == Op::kNegate) {
    for (std::uint32_t i = 0; i < kBlock; ++i) b[i] = -b[i];
    return;
  }
  if (op == Op::kAbs) {
    for (std::uint32_t i = 0; i < kBlock; ++i) b[i] = std::fabs(b[i]);
    return;
  }
  Lane& a = stack_[top - 2];
  switch (op) {
    case Op::kAdd:
      for (std::uint32_t i = 0; i < kBlock; ++i) a[i] += b[i];
      break;
    case Op::kSubtract:
      for (std::uint32_t i = 0; i < kBlock; ++i) a[i] -= b[i];
      break;
    case Op::kMultiply:
      for (std::uint32_t i = 0; i < kBlock; ++i) a[i] *= b[i];
      break;
    default:  // kDivide
      for (std::uint32_t i = 0; i < kBlock; ++i) {
        // Dividing by the quotient again, or by an overflow, would hide what went wrong: note it.
        out.valid[i] &= static_cast<std::uint8_t>(b[i] != 0 && std::isfinite(b[i]));
        a[i] /= b[i] != 0 ? b[i] : 1;
      }
      break;
  }
}

bool Expression::holds(double difference, double tolerance) const {
  switch (comparison_) {
    case Comparison::kEqual:
      return std::fabs(difference) <= tolerance;
    case Comparison::kUnequal:
      return std::fabs(difference) > tolerance;
    case Comparison::kLess:
      return difference < tolerance;
    case Comparison::kAtMost:
      return difference <= tolerance;
    case Comparison::kMore:
      return difference > -tolerance;
    default:  // kAtLeast
      return difference >= -tolerance;
  }
}

}  // namespace driftd::rules
