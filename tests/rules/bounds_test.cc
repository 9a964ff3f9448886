#include "rules/bounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace driftd::rules {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string outcome(const Bounds& bounds, double value, std::uint64_t n = 10) {
  const Judgement j = judge_bounds(bounds, value, n);
  EXPECT_EQ(j.n, n);
  std::string out = j.verdict == Verdict::kOk ? "ok" : j.reason;
  if (j.threshold) out += " " + std::to_string(static_cast<int>(*j.threshold));
  return out;
}

TEST(Bounds, BothEndsAreAllowed) {
  const Bounds b{1, 5, 1};
  EXPECT_EQ(outcome(b, 1), "ok 1");
  EXPECT_EQ(outcome(b, 5), "ok 5");
  EXPECT_EQ(outcome(b, std::nextafter(1.0, 0.0)), "below_min 1");
  EXPECT_EQ(outcome(b, std::nextafter(5.0, 6.0)), "above_max 5");
}

TEST(Bounds, ShowsTheNearerBoundWhenAllIsWell) {
  const Bounds b{0, 10, 1};
  EXPECT_EQ(outcome(b, 4), "ok 0");
  EXPECT_EQ(outcome(b, 6), "ok 10");
  EXPECT_EQ(outcome({std::nullopt, 10, 1}, -1e300), "ok 10");
  EXPECT_EQ(outcome({3, std::nullopt, 1}, 1e300), "ok 3");
}

TEST(Bounds, NoVerdictOnTooFewOrOnWhatIsNoNumber) {
  EXPECT_EQ(outcome({0, 1, 5}, 0.5, 4), "too_few_samples");
  EXPECT_EQ(outcome({0, 1, 5}, 0.5, 5), "ok 1");
  for (const double value : {kInfinity, -kInfinity, std::nan("")}) EXPECT_EQ(outcome({0, 1, 1}, value), "overflow");
}

Result<Bounds> read(std::vector<std::pair<std::string, Node>> entries, unsigned min_samples = 2) {
  ErrorList errors;
  const Params params = read_params(Node::map(std::move(entries)), with_bounds_params({}, min_samples), "c", errors);
  if (!errors.empty()) return Error{ErrorCode::kInvalidArgument, errors.errors()[0].message};
  return read_bounds(params);
}

TEST(Bounds, AreReadAndRefused) {
  EXPECT_FALSE(read({}).ok()) << "neither bound";
  EXPECT_EQ(read({{"min", Node::text("5")}, {"max", Node::text("4.5")}}).error().message, "'min' 5 is above 'max' 4.5");
  EXPECT_TRUE(read({{"min", Node::text("5")}, {"max", Node::text("5")}}).ok());
  const auto one = read({{"max", Node::text("0")}});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->min, std::nullopt);
  EXPECT_EQ(one->max, 0);
  EXPECT_EQ(one->min_samples, 2U);
  EXPECT_FALSE(read({{"max", Node::text("0")}, {"min_samples", Node::text("1")}}).ok()) << "below what makes sense";
  EXPECT_FALSE(read({{"max", Node::text("0")}, {"min_samples", Node::text("1")}}, 0).ok()) << "not a parameter then";
}

TEST(Bounds, AStatisticIsAskedForWindowsWithValuesOnly) {
  const CheckUnit unit = statistic_unit({FieldKind::kNumber}, [](const stats::FieldSummary& f) {
    EXPECT_GT(f.valid, 0U);
    return 7.0;
  });
  ErrorList errors;
  const Params params = read_params(Node::map({{"max", Node::text("6")}}), with_bounds_params({}, 1), "c", errors);
  CheckContext context;
  context.field = 1;
  const auto check = unit.make(params, context);
  ASSERT_TRUE(check.ok());
  stats::Window window;
  window.fields.resize(2);
  EXPECT_STREQ((*check)->judge(window, {}).reason, "too_few_samples");
  window.fields[1].valid = 1;
  EXPECT_STREQ((*check)->judge(window, {}).reason, "above_max");
  EXPECT_FALSE(unit.make(read_params({}, with_bounds_params({}, 1), "c", errors), context).ok());
}

}  // namespace
}  // namespace driftd::rules
