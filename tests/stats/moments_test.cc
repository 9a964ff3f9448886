#include "stats/moments.h"

#include <gtest/gtest.h>

#include <vector>

namespace driftd::stats {
namespace {

Moments of(const std::vector<double>& values) {
  Moments m;
  for (const double x : values) m.add(x);
  return m;
}

std::string bytes_of(const Moments& m) {
  ByteWriter out;
  m.save(out);
  return out.take();
}

TEST(Moments, OfNothingAndOfOneValue) {
  const Moments none;
  EXPECT_EQ(none.variance(), 0);
  EXPECT_EQ(none.sum(), 0);
  const Moments one = of({4.5});
  EXPECT_EQ(one.mean, 4.5);
  EXPECT_EQ(one.variance(1), 0) << "n - 1 is 0";
  EXPECT_EQ(one.min, 4.5);
  EXPECT_EQ(one.max, 4.5);
}

TEST(Moments, AreThoseOfTheDefinition) {
  const Moments m = of({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_EQ(m.n, 8U);
  EXPECT_DOUBLE_EQ(m.mean, 5);
  EXPECT_DOUBLE_EQ(m.variance(0), 4);
  EXPECT_DOUBLE_EQ(m.variance(1), 32.0 / 7);
  EXPECT_DOUBLE_EQ(m.sum(), 40);
}

TEST(Moments, KeepTheirDigitsOnALargeOffset) {
  // The textbook formula, sum of squares less n mean^2, has nothing left here.
  EXPECT_DOUBLE_EQ(of({1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16}).variance(), 30);
}

TEST(Moments, MergeIsTheWholeAndDoesNotDependOnWhoDidIt) {
  std::vector<double> all;
  for (int i = 0; i < 300; ++i) all.push_back(i * i % 97 + 0.25 * i);
  std::vector<Moments> parts(4);
  for (std::size_t i = 0; i < all.size(); ++i) parts[i / 80].add(all[i]);
  const auto merged = [&] {
    Moments m;
    for (const Moments& p : parts) m.merge(p);
    return m;
  };
  const Moments whole = of(all), sum = merged();
  EXPECT_EQ(sum.n, whole.n);
  EXPECT_NEAR(sum.mean, whole.mean, 1e-12 * whole.mean);
  EXPECT_NEAR(sum.m2, whole.m2, 1e-10 * whole.m2);
  EXPECT_EQ(sum.min, whole.min);
  EXPECT_EQ(sum.max, whole.max);
  EXPECT_EQ(bytes_of(sum), bytes_of(merged())) << "the same order gives the same bits";
}

TEST(Moments, MergingWithNothingChangesNothing) {
  const Moments some = of({1, 2.5});
  Moments left = some, right;
  left.merge({});
  right.merge(some);
  EXPECT_EQ(bytes_of(left), bytes_of(some));
  EXPECT_EQ(bytes_of(right), bytes_of(some));
}

TEST(Moments, ComeBackBitForBit) {
  for (const Moments& m : {Moments{}, of({0.1, 0.2, 1e300})}) {
    const std::string bytes = bytes_of(m);
    ByteReader in(bytes);
    Moments loaded;
    loaded.load(in);
    EXPECT_TRUE(in.done("moments").ok());
    EXPECT_EQ(bytes_of(loaded), bytes);
  }
}

}  // namespace
}  // namespace driftd::stats
