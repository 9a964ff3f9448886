#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Matches, TheWholeTextOrAnyPart) {
  Harness whole("matches", {{"pattern", "[0-9]+"}}, {category_field()});
  whole.feed(series({"12", "a12", "", Cell::kNull}));
  EXPECT_EQ(whole.failed, (U{1, 2}));
  Harness any("matches", {{"pattern", "[0-9]+"}, {"part", "any"}}, {{.name = "t", .kind = FieldKind::kText}});
  any.feed(series({"12", "a12", "a"}));
  EXPECT_EQ(any.failed, U{2});
}

TEST(Matches, ABadPatternIsAnError) {
  Harness h("matches", {{"pattern", "a"}}, {category_field()});
  h.params_ = {{"pattern", "("}};
  ASSERT_FALSE(h.make().ok());
  EXPECT_NE(h.make().error().message.find("pattern"), std::string::npos);
}

TEST(Matches, IsLinearInTheText) {
  Harness h("matches", {{"pattern", "(a*)*b"}}, {{.name = "t", .kind = FieldKind::kText}});
  h.feed(series({std::string(100000, (char)97).c_str()}));
  EXPECT_EQ(h.failed, U{0});
}

}  // namespace
}  // namespace driftd::rules
