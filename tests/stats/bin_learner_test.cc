#include "stats/bin_learner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace driftd::stats {
namespace {

constexpr double kMost = std::numeric_limits<double>::max();

Bins learn(const std::vector<double>& values) {
  BinLearner learner(FieldKind::kNumber);
  for (const double x : values) learner.add(x);
  return learner.learn();
}

// The definition of a bin, without the search.
std::uint32_t bin_by_definition(const Bins& bins, double x) {
  std::uint32_t b = 0;
  while (b < bins.edges.size() && x > bins.edges[b]) ++b;
  return b;
}

void expect_storable(const Bins& bins) {
  ByteWriter out;
  bins.save(out);
  ByteReader in(out.bytes());
  Bins loaded;
  ASSERT_TRUE(loaded.load(in).ok());
  EXPECT_TRUE(in.done("bins").ok());
  EXPECT_EQ(loaded.edges, bins.edges);
  EXPECT_EQ(loaded.categories, bins.categories);
  EXPECT_EQ(loaded.kind, bins.kind);
}

TEST(BinLearner, WithoutAValueThereIsOneBin) {
  const Bins bins = learn({});
  EXPECT_EQ(bins.size(), 1U);
  EXPECT_EQ(bins.bin_of(3.0), 0U);
  expect_storable(bins);
}

TEST(BinLearner, FewValuesGetABinEachAndOneBetweenEachTwo) {
  const Bins bins = learn({5, -0.0, 2, 0.0, 5, 5});
  EXPECT_EQ(bins.kind, Bins::Kind::kValue);
  ASSERT_EQ(bins.size(), 7U) << "0 and -0 are one value";
  EXPECT_EQ(bins.bin_of(-1e-300), 0U);
  EXPECT_EQ(bins.bin_of(-0.0), 1U);
  EXPECT_EQ(bins.bin_of(0.0), 1U);
  EXPECT_EQ(bins.bin_of(1e-300), 2U);
  EXPECT_EQ(bins.bin_of(std::nextafter(2.0, 0.0)), 2U);
  EXPECT_EQ(bins.bin_of(2.0), 3U);
  EXPECT_EQ(bins.bin_of(3.0), 4U);
  EXPECT_EQ(bins.bin_of(5.0), 5U);
  EXPECT_EQ(bins.bin_of(std::nextafter(5.0, 6.0)), 6U);
  const std::vector<std::string> labels = {"< 0", "0", "(0, 2)", "2", "(2, 5)", "5", "> 5"};
  for (std::uint32_t b = 0; b < bins.size(); ++b) EXPECT_EQ(bins.label(b), labels[b]);
  expect_storable(bins);
}

TEST(BinLearner, NothingLiesBetweenNeighbouringDoubles) {
  const Bins bins = learn({1, std::nextafter(1.0, 2.0)});
  ASSERT_EQ(bins.size(), 4U);
  EXPECT_EQ(bins.bin_of(1.0), 1U);
  EXPECT_EQ(bins.bin_of(std::nextafter(1.0, 2.0)), 2U);
  expect_storable(bins);
}

TEST(BinLearner, AConstantIsOneBinAndAnythingElseIsOutside) {
  const Bins bins = learn(std::vector<double>(1000, 21.5));
  ASSERT_EQ(bins.size(), 3U);
  EXPECT_EQ(bins.bin_of(21.5), 1U);
  EXPECT_EQ(bins.bin_of(std::nextafter(21.5, 0.0)), 0U);
  EXPECT_EQ(bins.bin_of(std::nextafter(21.5, 22.0)), 2U);
}

TEST(BinLearner, OneValueMoreThanTheCapMakesQuantileBins) {
  std::vector<double> values;
  for (std::uint32_t i = 0; i < kMaxValues; ++i) values.push_back(i);
  EXPECT_EQ(learn(values).kind, Bins::Kind::kValue);
  EXPECT_EQ(learn(values).size(), 2 * kMaxValues + 1);
  values.push_back(kMaxValues);
  EXPECT_EQ(learn(values).kind, Bins::Kind::kQuantile);
}

TEST(BinLearner, QuantileBinsHaveEqualMassAndFineTails) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal(50, 4);
  std::vector<double> values;
  for (int i = 0; i < 60000; ++i) values.push_back(normal(random));
  const Bins bins = learn(values);
  EXPECT_EQ(bins.kind, Bins::Kind::kQuantile);
  ASSERT_EQ(bins.size(), kQuantileBins + 8) << "six cuts in the tails, two open ends";
  std::vector<double> mass(bins.size());
  for (const double x : values) {
    const std::uint32_t b = bins.bin_of(x);
    ASSERT_EQ(b, bin_by_definition(bins, x));
    mass[b] += 1.0 / static_cast<double>(values.size());
  }
  EXPECT_EQ(mass.front(), 0) << "nothing of the reference is below its minimum";
  EXPECT_EQ(mass.back(), 0);
  for (const double m : mass) EXPECT_LT(m, 1.0 / kQuantileBins + 0.004);
  EXPECT_NEAR(mass[1], 0.001, 0.002) << "the outermost tenth of a per cent";
  EXPECT_NEAR(mass[mass.size() - 2], 0.001, 0.002);
  for (std::size_t b = 5; b + 5 < mass.size(); ++b) EXPECT_NEAR(mass[b], 1.0 / kQuantileBins, 0.004);
  expect_storable(bins);
}

TEST(BinLearner, AValueOfMoreThanABinsMassGetsItsOwn) {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> uniform(0, 100);
  std::vector<double> values;
  for (int i = 0; i < 20000; ++i) values.push_back(i % 4 == 0 ? 40 : uniform(random));
  const Bins bins = learn(values);
  const std::uint32_t b = bins.bin_of(40);
  ASSERT_EQ(bins.edges[b], 40);
  EXPECT_EQ(bins.edges[b - 1], std::nextafter(40.0, 0.0)) << "nothing else is in that bin";
}

TEST(BinLearner, TheLimitsOfADoubleGiveBinsThatCanBeKept) {
  const Bins few = learn({-kMost, 0, kMost});
  expect_storable(few);
  EXPECT_LT(few.bin_of(-kMost), few.bin_of(0.0));
  EXPECT_LT(few.bin_of(0.0), few.bin_of(kMost));
  std::vector<double> values = {-kMost, kMost};
  for (int i = 0; i < 500; ++i) values.push_back(i * 1e305);
  const Bins many = learn(values);
  expect_storable(many);
  EXPECT_EQ(many.bin_of(kMost) + 2, many.size());
}

TEST(BinLearner, CategoriesAreSortedAndTheRarestAreOther) {
  BinLearner learner(FieldKind::kCategory);
  for (std::uint32_t i = 0; i < kMaxCategories + 5; ++i) {
    const std::string text = "c" + std::to_string(i);
    learner.add(std::string_view(text));
    if (i >= 6) learner.add(std::string_view(text));  // the first six are the rarest
  }
  const Bins bins = learner.learn();
  EXPECT_EQ(bins.kind, Bins::Kind::kCategory);
  EXPECT_EQ(bins.size(), kMaxCategories);
  EXPECT_TRUE(std::is_sorted(bins.categories.begin(), bins.categories.end()));
  EXPECT_EQ(bins.bin_of(std::string_view("c0")), bins.size() - 1);
  EXPECT_EQ(bins.bin_of(std::string_view("never seen")), bins.size() - 1);
  EXPECT_LT(bins.bin_of(std::string_view("c6")), bins.size() - 1);
  expect_storable(bins);
}

TEST(BinLearner, AsManyCategoriesAsFitAreAllKept) {
  BinLearner learner(FieldKind::kCategory);
  for (std::uint32_t i = 0; i + 1 < kMaxCategories; ++i) {
    learner.add(std::string_view("c" + std::to_string(i)));
  }
  const Bins bins = learner.learn();
  EXPECT_EQ(bins.size(), kMaxCategories);
  EXPECT_LT(bins.bin_of(std::string_view("c0")), bins.size() - 1);
}

TEST(BinLearner, WhatWasNeverALearnersWorkIsRefused) {
  const auto refused = [](const Bins& bins) {
    ByteWriter out;
    bins.save(out);
    ByteReader in(out.bytes());
    Bins loaded;
    return !loaded.load(in).ok();
  };
  EXPECT_TRUE(refused({Bins::Kind::kValue, {1, 1}, {}})) << "edges must grow";
  EXPECT_TRUE(refused({Bins::Kind::kValue, {1, std::nan("")}, {}}));
  EXPECT_TRUE(refused({Bins::Kind::kCategory, {}, {"b", "a"}})) << "categories must be sorted";
  EXPECT_TRUE(refused({Bins::Kind::kCategory, {1, 2}, {"a"}})) << "categories have no edges";
  EXPECT_TRUE(refused({Bins::Kind::kQuantile, {1, 2}, {"a"}})) << "numbers have no categories";
}

}  // namespace
}  // namespace driftd::stats
