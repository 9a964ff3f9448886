#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

std::vector<Field> abc() { return {number_field("a"), number_field("b"), number_field("c")}; }

TEST(Expression, HoldsWithinTheTolerance) {
  Harness h("expression", {{"expression", "a + b = c"}, {"tolerance", "0.1"}}, abc(), -1);
  h.feed({{"s", 0, {1, 2, 3}}, {"s", 1, {1, 2, 3.05}}, {"s", 2, {1, 2, 3.2}}, {"s", 3, {1, Cell::kNull, 3}}});
  EXPECT_EQ(h.failed, U{2});
  EXPECT_EQ(h.skipped, U{3});
}

TEST(Expression, FollowsPrecedenceAndParentheses) {
  const std::vector<std::pair<const char*, bool>> cases = {
      {"a + b * c = 7", true}, {"(a + b) * c = 9", true}, {"a - b - c = -4", true}, {"c / b / a = 1.5", true}, {"-a < b", true},
      {"abs(a - c) = 2", true}, {"a <= 1", true}, {"a < 1", false}, {"a != b", true}, {"a == b", false}, {"b >= 3", false}, {"`c` > 2.5", true}};
  for (const auto& [text, holds] : cases) {
    Harness h("expression", {{"expression", text}}, abc(), -1);
    h.feed({{"s", 0, {1, 2, 3}}});
    EXPECT_EQ(h.failed.empty(), holds) << text;
  }
}

TEST(Expression, DivisionByZeroIsNotJudged) {
  Harness h("expression", {{"expression", "a / b > 0"}}, abc(), -1);
  h.feed({{"s", 0, {1, 0, 3}}});
  EXPECT_EQ(h.skipped, U{0});
}

TEST(Expression, SaysWhereItIsWrong) {
  Harness h("expression", {{"expression", "a < b"}}, abc(), -1);
  for (const char* text : {"", "a", "a <", "a < b c", "a < d", "(a < b", "a ++ b < c", "abs a < b", "a < b < c"}) {
    h.params_ = {{"expression", text}};
    EXPECT_FALSE(h.make().ok()) << text;
  }
  h.params_ = {{"expression", std::string(100000, (char)40) + "a < b"}};
  EXPECT_FALSE(h.make().ok()) << "a bomb of parentheses";
  h.params_ = {{"expression", "a < d"}};
  EXPECT_NE(h.make().error().message.find("character 5"), std::string::npos) << h.make().error().message;
}

}  // namespace
}  // namespace driftd::rules
