#include "rules/expression.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "core/text.h"

namespace driftd::rules {

class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, const Schema& schema) : text_(text), schema_(schema) {}

  Result<Expression> parse() {
    sum();
    comparison();
    sum();
    skip_space();
    if (error_.empty() && at_ != text_.size()) expected("the end");
    if (error_.empty() && (out_.steps_.size() > Expression::kMaxSteps || deepest_ > Expression::kMaxStack)) {
      error_ = "the expression is too long";
    }
    if (!error_.empty()) return Error{ErrorCode::kInvalidArgument, error_};
    return std::move(out_);
  }

 private:
  using Op = Expression::Op;
  using Compare = Expression::Compare;

  void expected(const std::string& what) {
    if (error_.empty()) error_ = "expected " + what + " at character " + std::to_string(at_ + 1) + " of '" + excerpt(text_) + "'";
  }
  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void push(Op op, double number = 0, std::size_t field = 0) {
    out_.steps_.push_back({op, number, field});
    if (op == Op::kNumber || op == Op::kField) {
      deepest_ = std::max(deepest_, ++depth_);
    } else if (op != Op::kNegate && op != Op::kAbs) {
      --depth_;
    }
  }

  void comparison() {
    static constexpr std::array<std::pair<std::string_view, Compare>, 7> kTokens = {
        {{"<=", Compare::kLessEqual}, {">=", Compare::kGreaterEqual}, {"!=", Compare::kNotEqual}, {"==", Compare::kEqual},
         {"<", Compare::kLess}, {">", Compare::kGreater}, {"=", Compare::kEqual}}};
    if (!error_.empty()) return;
    for (const auto& [token, compare] : kTokens) {
      if (!take(token)) continue;
      out_.compare_ = compare;
      return;
    }
    expected("one of = != < <= > >=");
  }

  void sum() {
    if (!error_.empty() || ++nested_ > 64) return expected("fewer parentheses");
    product();
    while (error_.empty()) {
      if (take("+")) {
        product();
        push(Op::kAdd);
      } else if (take("-")) {
        product();
        push(Op::kSubtract);
      } else {
        break;
      }
    }
    --nested_;
  }

  void product() {
    factor();
    while (error_.empty()) {
      if (take("*")) {
        factor();
        push(Op::kMultiply);
      } else if (take("/")) {
        factor();
        push(Op::kDivide);
      } else {
        break;
      }
    }
  }

  void factor() {
    if (!error_.empty()) return;
    if (take("(")) {
      sum();
      if (!take(")")) expected("')'");
      return;
    }
    if (take("-")) {
      if (++nested_ > 64) return expected("fewer signs");
      factor();
      --nested_;
      push(Op::kNegate);
      return;
    }
    skip_space();
    const std::size_t from = at_;
    if (at_ < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.')) {
      double number = 0;
      const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
      if (code != std::errc()) return expected("a number");
      at_ = static_cast<std::size_t>(end - text_.data());
      return push(Op::kNumber, number);
    }
    const std::string name = identifier();
    if (name.empty()) return expected("a number, a field or '('");
    if (name == "abs" && take("(")) {
      sum();
      if (!take(")")) expected("')'");
      push(Op::kAbs);
      return;
    }
    const auto field = schema_.index_of(name);
    if (!field || !is_numeric(schema_.fields[*field].kind)) {
      at_ = from;
      std::vector<std::string> known;
      for (const Field& f : schema_.fields) {
        if (is_numeric(f.kind)) known.push_back(f.name);
      }
      return expected("a numeric field (" + join(known) + ")");
    }
    push(Op::kField, 0, *field);
  }

  std::string identifier() {
    if (take("`")) {
      const std::size_t end = text_.find('`', at_);
      if (end == std::string_view::npos) return "";
      const std::string name(text_.substr(at_, end - at_));
      at_ = end + 1;
      return name;
    }
    const std::size_t from = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_' || text_[at_] == '.')) ++at_;
    return std::string(text_.substr(from, at_ - from));
  }

  std::string_view text_;
  const Schema& schema_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0, deepest_ = 0;
  int nested_ = 0;
  std::string error_;
  Expression out_;
};

Result<Expression> Expression::parse(std::string_view text, const Schema& schema) {
  return ExpressionParser(text, schema).parse();
}

Expression::Outcome Expression::evaluate(const Batch& batch, std::uint32_t row, double tolerance, double& difference) const {
  std::array<double, kMaxStack> stack;
  std::size_t top = 0;
  for (const Step& step : steps_) {
    switch (step.op) {
      case Op::kNumber: stack[top++] = step.number; continue;
      case Op::kField: {
        const Column& column = batch.columns[step.field];
        if (column.cells[row] != Cell::kValid) return Outcome::kUnknown;
        stack[top++] = column.numbers[row];
        continue;
      }
      case Op::kNegate: stack[top - 1] = -stack[top - 1]; continue;
      case Op::kAbs: stack[top - 1] = std::fabs(stack[top - 1]); continue;
      default: break;
    }
    const double right = stack[--top];
    double& left = stack[top - 1];
    if (step.op == Op::kAdd) left += right;
    if (step.op == Op::kSubtract) left -= right;
    if (step.op == Op::kMultiply) left *= right;
    if (step.op == Op::kDivide) left /= right;
    if (!std::isfinite(left)) return Outcome::kUnknown;
  }
  difference = stack[0] - stack[1];
  if (!std::isfinite(difference)) return Outcome::kUnknown;
  const auto holds = [](bool yes) { return yes ? Outcome::kHolds : Outcome::kBroken; };
  switch (compare_) {
    case Compare::kEqual: return holds(std::fabs(difference) <= tolerance);
    case Compare::kNotEqual: return holds(std::fabs(difference) > tolerance);
    case Compare::kLess: return holds(difference < tolerance);
    case Compare::kLessEqual: return holds(difference <= tolerance);
    case Compare::kGreater: return holds(-difference < tolerance);
    case Compare::kGreaterEqual: return holds(-difference <= tolerance);
  }
  return Outcome::kUnknown;
}

}  // namespace driftd::rules
