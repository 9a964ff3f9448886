#include "rules/expression_parser.h"

#include <array>
#include <charconv>

#include "core/text.h"

namespace driftd::rules {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Status Expression::Parser::run() {
  if (text_.size() > kMaxText) {
    return Error{ErrorCode::kInvalidArgument, "'expression' is longer than " + std::to_string(kMaxText) + " bytes"};
  }
  comparison();
  if (!error_.empty()) return Error{ErrorCode::kInvalidArgument, error_};
  return {};
}

void Expression::Parser::comparison() {
  // Longer tokens first.
  static constexpr std::array<std::pair<std::string_view, Comparison>, 7> kTokens = {{{"<=", Comparison::kAtMost},
                                                                                      {">=", Comparison::kAtLeast},
                                                                                      {"==", Comparison::kEqual},
                                                                                      {"!=", Comparison::kUnequal},
                                                                                      {"<", Comparison::kLess},
                                                                                      {">", Comparison::kMore},
                                                                                      {"=", Comparison::kEqual}}};
  const auto compares = [&] {
    for (const auto& [token, comparison] : kTokens) {
      if (!take(token)) continue;
      out_.comparison_ = comparison;
      return true;
    }
    return false;
  };
  sum(0);
  if (!error_.empty()) return;
  if (!compares()) return fail(at_, "expected a comparison: = != < <= > >=");
  sum(0);
  if (!error_.empty() || peek() == 0) return;
  const std::size_t at = at_;
  fail(at, compares() ? "only one comparison is possible" : "expected an operator or the end");
}

void Expression::Parser::sum(int depth) {
  product(depth);
  while (error_.empty()) {
    if (take("+")) {
      product(depth);
      push({Op::kAdd, 0, 0}, -1);
    } else if (take("-")) {
      product(depth);
      push({Op::kSubtract, 0, 0}, -1);
    } else {
      return;
    }
  }
}

void Expression::Parser::product(int depth) {
  factor(depth);
  while (error_.empty()) {
    if (take("*")) {
      factor(depth);
      push({Op::kMultiply, 0, 0}, -1);
    } else if (take("/")) {
      factor(depth);
      push({Op::kDivide, 0, 0}, -1);
    } else {
      return;
    }
  }
}

void Expression::Parser::factor(int depth) {
  const char c = peek();
  const std::size_t at = at_;
  if (depth > kMaxDepth) return fail(at, "nested too deep");
  if (take("-")) {
    factor(depth + 1);
    push({Op::kNegate, 0, 0}, 0);
  } else if (take("(")) {
    sum(depth + 1);
    expect(")");
  } else if (is_digit(c) || c == '.') {
    number();
  } else if (c == '`') {
    const std::size_t end = text_.find('`', at + 1);
    if (end == std::string_view::npos) return fail(at, "no closing backquote");
    at_ = end + 1;
    field(text_.substr(at + 1, end - at - 1), at);
  } else if (is_letter(c)) {
    const std::string_view name = word();
    if (name == "abs" && take("(")) {
      sum(depth + 1);
      expect(")");
      push({Op::kAbs, 0, 0}, 0);
    } else {
      field(name, at);
    }
  } else {
    fail(at, "expected a number, a field, abs(...) or (...)");
  }
}

void Expression::Parser::field(std::string_view name, std::size_t at) {
  const auto index = schema_.index_of(name);
  if (!index) {
    std::vector<std::string> known;
    for (const Field& f : schema_.fields) {
      if (is_numeric(f.kind)) known.push_back(f.name);
    }
    const auto near = nearest(name, known);
    return fail(at, "there is no field '" + excerpt(name, 60) + "'" + (near ? "; did you mean '" + *near + "'?" : ""));
  }
  const FieldKind kind = schema_.fields[*index].kind;
  if (!is_numeric(kind)) {
    return fail(at, "field '" + excerpt(name, 60) + "' is of type " + to_string(kind) + ", not a number");
  }
  push({Op::kField, 0, *index}, 1);
}

void Expression::Parser::number() {
  double value = 0;
  const char* begin = text_.data() + at_;
  const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (error != std::errc()) return fail(at_, "not a finite number");
  at_ += static_cast<std::size_t>(end - begin);
  push({Op::kNumber, value, 0}, 1);
}

std::string_view Expression::Parser::word() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) {
    ++at_;
  }
  return text_.substr(begin, at_ - begin);
}

char Expression::Parser::peek() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool Expression::Parser::take(std::string_view token) {
  peek();
  if (text_.substr(at_, token.size()) != token) return false;
  at_ += token.size();
  return true;
}

void Expression::Parser::expect(std::string_view token) {
  if (error_.empty() && !take(token)) fail(at_, "expected '" + std::string(token) + "'");
}

void Expression::Parser::fail(std::size_t at, const std::string& why) {
  if (error_.empty()) error_ = "'expression', column " + std::to_string(at + 1) + ": " + why;
}

void Expression::Parser::push(Step step, int stack_change) {
  if (!error_.empty()) return;
  out_.program_.push_back(step);
  stack_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(stack_) + stack_change);
  if (out_.stack_.size() < stack_) out_.stack_.resize(stack_);
}

}  // namespace driftd::rules
