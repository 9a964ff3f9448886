// Parameters that a configuration may get wrong: one at a time, beside others that are right.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/registry.h"

namespace driftd {

// `good` with the value of `name` replaced, or added.
inline Node with_value(Node good, const std::string& name, Node value) {
  good.kind = Node::Kind::kMap;
  for (auto& [key, old] : good.entries) {
    if (key == name) {
      old = std::move(value);
      return good;
    }
  }
  good.entries.emplace_back(name, std::move(value));
  return good;
}

// Values that look right at first sight, values that do not, and every shape of a node.
inline std::vector<Node> odd_values(const ParamSpec& spec) {
  std::vector<Node> out = {Node(), Node::map({{"x", Node::text("1")}}), Node::list({Node::text("1"), Node::list({})}), Node::list({})};
  for (const char* text : {"",
                           " ",
                           "x",
                           "-1",
                           "0",
                           "1e400",
                           "nan",
                           "99999999999999999999",
                           "-9223372036854775808",
                           "1d",
                           "-5s",
                           "1KiB",
                           "true",
                           "/",
                           "//",
                           "~",
                           "@topic/0",
                           "\xff\xfe",
                           "a\nb",
                           "\"",
                           "*"}) {
    out.push_back(Node::text(text));
  }
  out.push_back(Node::text(std::string(100000, 'x')));
  out.push_back(Node::text(std::string("a\0b", 3)));
  if (spec.min) out.push_back(Node::text(std::to_string(*spec.min - 1)));
  if (spec.max) out.push_back(Node::text(std::to_string(*spec.max + 1)));
  return out;
}

// Reads each odd value of each parameter and hands what reading lets through to `make`, which gives a
// Result of the unit. Whatever is refused says why; values outside the bounds never get through.
template <class Make>
void expect_bad_parameters_are_errors(const Descriptor& d, const Node& good, const Make& make) {
  int refused = 0;
  for (const ParamSpec& spec : d.params) {
    for (const Node& value : odd_values(spec)) {
      SCOPED_TRACE(spec.name + ": " + value.scalar.substr(0, 40));
      ErrorList errors;
      const Params params = read_params(with_value(good, spec.name, value), d.params, d.name, errors);
      for (const ConfigError& e : errors.errors()) EXPECT_GT(e.message.size(), 10U);
      refused += errors.empty() ? 0 : 1;
      if (!errors.empty()) continue;
      if (spec.type == ParamType::kNumber || spec.type == ParamType::kInteger) {
        EXPECT_GE(params.number(spec.name), spec.min.value_or(-1e308));
        EXPECT_LE(params.number(spec.name), spec.max.value_or(1e308));
      }
      const auto made = make(params);
      if (made.ok()) {
        EXPECT_NE(*made, nullptr);
      } else {
        EXPECT_GT(made.error().message.size(), 10U) << made.error().message;
      }
    }
  }
  EXPECT_TRUE(refused > 0 || d.params.empty());
  ErrorList errors;
  read_params(with_value(good, "no_such_parameter", Node::text("1")), d.params, d.name, errors);
  EXPECT_FALSE(errors.empty());
}

}  // namespace driftd
