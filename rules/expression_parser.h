// The parser of expressions; for rules/expression.cc only.
#pragma once

#include <string>

#include "rules/expression.h"

namespace driftd::rules {

// Recursive descent, one function a line of the grammar in expression.h. Stops at the first error.
class Expression::Parser {
 public:
  Parser(std::string_view text, const Schema& schema, Expression& out) : text_(text), schema_(schema), out_(out) {}

  Status run();

 private:
  void comparison();
  void sum(int depth);
  void product(int depth);
  void factor(int depth);
  void field(std::string_view name, std::size_t at);
  void number();
  std::string_view word();  // an unquoted name; empty when there is none

  char peek();  // the next character that is no blank; 0 at the end
  bool take(std::string_view token);
  void expect(std::string_view token);
  void fail(std::size_t at, const std::string& why);
  void push(Step step, int stack_change);

  std::string_view text_;
  const Schema& schema_;
  Expression& out_;
  std::size_t at_ = 0;
  std::size_t stack_ = 0;  // values on the stack at this place of the program
  std::string error_;
};

}  // namespace driftd::rules
