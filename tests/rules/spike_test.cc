#include <random>

#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<double> noise(int n, unsigned seed = 7) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(20, 0.5);
  std::vector<double> out;
  for (int i = 0; i < n; ++i) out.push_back(normal(random));
  return out;
}

TEST(Spike, FailsTheRowThatCameBack) {
  std::vector<double> x = noise(100);
  x[60] = 60;
  x[80] = -20;
  x[81] = -30;
  CheckFixture f;
  f.add_numbers(x);
  const RowHits hits = f.run(*f.make("spike", {}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(61, 82));
  EXPECT_NEAR(hits.failed[0].value, 40, 1);
  EXPECT_NEAR(hits.failed[1].value, -50, 1);  // the further of the two
  EXPECT_EQ(hits.skipped.size(), 32U);
}

TEST(Spike, AStepIsNone) {
  std::vector<double> x = noise(200);
  for (std::size_t i = 100; i < 200; ++i) x[i] += 50;
  CheckFixture f;
  f.add_numbers(x);
  EXPECT_THAT(rows_of(f.run(*f.make("spike", {}, "x"))), IsEmpty());
}

TEST(Spike, WithinSaysHowLongASpikeMayLast) {
  std::vector<double> x = noise(100);
  for (std::size_t i = 60; i < 65; ++i) x[i] = 60;
  CheckFixture f;
  f.add_numbers(x);
  EXPECT_THAT(rows_of(f.run(*f.make("spike", {{"within", "4"}}, "x"))), ::testing::Not(testing::Contains(65)));
  EXPECT_THAT(rows_of(f.run(*f.make("spike", {{"within", "5"}}, "x"))), ElementsAre(65));
}

TEST(Spike, NoiseAloneIsQuiet) {
  CheckFixture f;
  f.add_numbers(noise(100000));
  EXPECT_THAT(rows_of(f.run(*f.make("spike", {}, "x"))), IsEmpty());
}

TEST(Spike, OneStepOfACoarseSensorIsNone) {
  std::vector<double> x(200, 20.0);
  x[50] = 20.5;
  x[150] = 20.5;
  x[180] = 40;
  CheckFixture f;
  f.add_numbers(x);
  EXPECT_THAT(rows_of(f.run(*f.make("spike", {}, "x"))), ElementsAre(181));
  EXPECT_THAT(rows_of(f.run(*f.make("spike", {{"min_jump", "25"}}, "x"))), IsEmpty());
}

TEST(Spike, NullsChangeNothing) {
  std::vector<double> x = noise(60);
  CheckFixture f;
  f.add_numbers(x);
  f.add({{{90.0}, kHour}, {{Cell::kNull}, kHour}, {{Cell::kNotFinite}, kHour}, {{20.0}, kHour}});
  const RowHits hits = f.run(*f.make("spike", {}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(63));
}

TEST(Spike, ExtremesStayFinite) {
  CheckFixture f;
  std::vector<double> x;
  for (int i = 0; i < 100; ++i) x.push_back(i % 2 == 0 ? 1.7e308 : -1.7e308);
  x.insert(x.end(), 100, 0.0);
  f.add_numbers(x);
  const auto check = f.make("spike", {{"window", "4"}, {"z", "1"}}, "x");
  for (const double v : values_of(f.run(*check))) EXPECT_TRUE(std::isfinite(v));
  ByteWriter out;
  check->save(out);
  ByteReader in(out.bytes());
  EXPECT_TRUE(f.make("spike", {{"window", "4"}, {"z", "1"}}, "x")->load(in).ok());
}

TEST(Spike, KeepsItsState) {
  std::vector<double> x = noise(60);
  x[40] = 90;
  x[50] = -90;
  CheckFixture f;
  for (std::size_t i = 0; i < x.size(); ++i) f.add_row({{x[i]}, 0, i % 3 == 0 ? "a" : "b"});
  expect_same_in_slices_and_after_restart(f, "spike", {{"window", "8"}}, "x");
}

}  // namespace
}  // namespace driftd::rules
