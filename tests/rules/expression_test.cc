#include "rules/expression.h"

#include <cmath>

#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<Field> kFields = {field("a"),   field("b", FieldKind::kInteger),      field("c.d"), field("odd name"),
                                    field("abs"), field("status", FieldKind::kCategory)};

struct Case {
  const char* text;
  double difference;  // with a=6, b=3, c.d=-2, `odd name`=0.5, abs=10
};

class ExpressionValue : public ::testing::TestWithParam<Case> {};

TEST_P(ExpressionValue, IsLeftMinusRight) {
  CheckFixture f(kFields);
  f.add({{{6.0, 3.0, -2.0, 0.5, 10.0}}});
  const Schema schema{kFields};
  auto e = Expression::parse(GetParam().text, schema);
  ASSERT_TRUE(e.ok()) << e.error().message;
  Expression::Block block;
  e->evaluate(f.batch(), 0, 1, block);
  EXPECT_EQ(block.valid[0], 1);
  EXPECT_DOUBLE_EQ(block.difference[0], GetParam().difference);
}

INSTANTIATE_TEST_SUITE_P(All, ExpressionValue,
                         ::testing::Values(Case{"a=b", 3}, Case{" a + b * 2 <= 10 ", 2}, Case{"(a+b)*2>0", 18}, Case{"a-b-1=0", 2},
                                           Case{"a/b/2==1", 0}, Case{"-a < --b", -9}, Case{"a - -b != 1e1", -1},
                                           Case{"abs(c.d - 1) = 3", 0}, Case{"abs = 10", 0}, Case{"`odd name`*.5=.25", 0},
                                           Case{"2*-3>=a", -12}, Case{"a*b+c.d*4=((10))", 0}));

struct Truth {
  const char* text;
  bool holds;
};

class ExpressionTruth : public ::testing::TestWithParam<Truth> {};

TEST_P(ExpressionTruth, WithToleranceOfAHalf) {
  CheckFixture f(kFields);
  f.add({{{6.0, 3.0, -2.0, 0.5, 10.0}}});
  const auto check = f.make("expression", {{"expression", GetParam().text}, {"tolerance", "0.5"}});
  EXPECT_EQ(f.run(*check).failed.empty(), GetParam().holds) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(All, ExpressionTruth,
                         ::testing::Values(Truth{"a = 6.5", true}, Truth{"a = 6.51", false}, Truth{"a != 6.5", false},
                                           Truth{"a != 6.51", true}, Truth{"a <= 5.5", true}, Truth{"a <= 5.49", false},
                                           Truth{"a < 5.5", false}, Truth{"a < 5.51", true}, Truth{"a >= 6.5", true},
                                           Truth{"a >= 6.51", false}, Truth{"a > 6.5", false}, Truth{"a > 6.49", true}));

TEST(Expression, WithoutToleranceComparisonsAreExact) {
  CheckFixture f(kFields);
  f.add({{{6.0, 3.0}}});
  for (const char* text : {"a < 6", "a > 6", "a != 6", "a < b", "b = 3.0000000001"}) {
    EXPECT_EQ(f.run(*f.make("expression", {{"expression", text}})).failed.size(), 1U) << text;
  }
  for (const char* text : {"a <= 6", "a >= 6", "a = 6", "a > b", "a = b + b"}) {
    EXPECT_EQ(f.run(*f.make("expression", {{"expression", text}})).failed.size(), 0U) << text;
  }
}

TEST(Expression, SkipsNullsAndDivisionByZero) {
  CheckFixture f(kFields);
  f.add({{{6.0, 3.0, 0.0}},
         {{Cell::kNull, 3.0, 1.0}},
         {{6.0, Cell::kMissing, 1.0}},
         {{Cell::kNotFinite, 3.0, 1.0}},
         {{6.0, "x", 1.0}},
         {{6.0, 3.0, 0.5}},
         {{1e308, 3.0, 1e-5}}});
  const auto quotient = f.make("expression", {{"expression", "a / c.d < b"}});
  EXPECT_THAT(f.run(*quotient).skipped, ElementsAre(0, 1, 2, 3, 4, 6));
  EXPECT_THAT(rows_of(f.run(*quotient)), ElementsAre(5));
  // Neither the zero nor an overflow is hidden by dividing by it.
  const auto hidden = f.make("expression", {{"expression", "1 / (a / c.d) + b = 9"}});
  EXPECT_THAT(f.run(*hidden).skipped, ::testing::Contains(0));
  const auto overflow = f.make("expression", {{"expression", "1 / (a * a) + b = 9"}});
  EXPECT_THAT(f.run(*overflow).skipped, ::testing::Contains(6));
}

TEST(Expression, BlocksDoNotMatter) {
  CheckFixture f(kFields);
  for (int i = 0; i < 200; ++i) f.add_row({{double(i % 7), double(i % 5), double(i % 3)}});
  expect_same_in_slices_and_after_restart(f, "expression", {{"expression", "a / c.d <= b"}});
}

struct Wrong {
  std::string text;
  const char* message;
};

class ExpressionError : public ::testing::TestWithParam<Wrong> {};

TEST_P(ExpressionError, SaysWhere) {
  const CheckFixture f(kFields);
  EXPECT_THAT(error_of(f.try_make("expression", {{"expression", GetParam().text}})), HasSubstr(GetParam().message)) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(All, ExpressionError,
                         ::testing::Values(Wrong{"", "column 1: expected a number"}, Wrong{"a", "column 2: expected a comparison"},
                                           Wrong{"a <", "column 4: expected a number"}, Wrong{"a < b < 3", "column 7: only one"},
                                           Wrong{"a + = b", "column 5: expected a number"}, Wrong{"(a < b", "column 4: expected ')'"},
                                           Wrong{"a = (b", "column 7: expected ')'"}, Wrong{"a = bb", "column 5: there is no field 'bb'"},
                                           Wrong{"status = a", "column 1: field 'status' is of type category"},
                                           Wrong{"a = `odd", "column 5: no closing backquote"},
                                           Wrong{"a = 1e999", "column 5: not a finite number"},
                                           Wrong{"a = b c", "column 7: expected an operator"},
                                           Wrong{"a = 3b", "column 6: expected an operator"}, Wrong{"a = #", "column 5"},
                                           Wrong{std::string(40, '(') + "a", "nested too deep"},
                                           Wrong{"a = " + std::string(1000, '-') + "b", "longer than"},
                                           Wrong{"a = " + std::string(900, '-') + "b", "nested too deep"}));

TEST(ExpressionText, LongSumsNeedNoDepth) {
  CheckFixture f(kFields);
  std::string text = "a = 1";
  for (int i = 0; i < 400; ++i) text += "+1";
  f.add({{{401.0}}});
  EXPECT_THAT(rows_of(f.run(*f.make("expression", {{"expression", text}}))), IsEmpty());
}

}  // namespace
}  // namespace driftd::rules
