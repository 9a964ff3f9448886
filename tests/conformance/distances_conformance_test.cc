// What every registered distance must keep to, whatever it measures.
#include <cmath>
#include <limits>

#include "app/config/yaml.h"
#include "tests/conformance/unit_descriptor.h"
#include "tests/rules/check_fixture.h"
#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

using Given = std::vector<std::pair<std::string, std::string>>;

// Two sides with a name for the message.
struct Case {
  std::string name;
  Sides sides;
  Moments reference, current;
};

Moments moments_of(const Sides& s, const std::vector<double>& counts, const std::vector<double>& sums) {
  Moments m;
  for (std::size_t b = 0; b < s.bins.edges.size(); ++b) {
    if (counts[b] == 0) continue;
    for (int i = 0; i < std::min(counts[b], 200.0); ++i) m.add(sums[b] / counts[b]);
  }
  return m;
}

Case numbers(const std::string& name, const std::vector<double>& reference, const std::vector<double>& current) {
  Case c{name, value_sides(reference, current), {}, {}};
  c.reference = moments_of(c.sides, c.sides.r, c.sides.rs);
  c.current = moments_of(c.sides, c.sides.c, c.sides.cs);
  return c;
}

// The same with `times` as many of each.
Case many(const std::string& name, const std::vector<double>& reference, const std::vector<double>& current, double times) {
  Case c = numbers(name, reference, current);
  for (auto* v : {&c.sides.r, &c.sides.c, &c.sides.rs, &c.sides.cs}) {
    for (double& x : *v) x *= times;
  }
  return c;
}

Case categories(const std::string& name, const std::vector<double>& reference, const std::vector<double>& current) {
  Case c{name, {}, {}, {}};
  c.sides.bins.kind = Bins::Kind::kCategory;
  for (std::size_t i = 0; i + 1 < reference.size(); ++i) {
    c.sides.bins.categories.push_back(std::string(1, static_cast<char>('a' + i)));
  }
  c.sides.r = reference;
  c.sides.c = current;
  return c;
}

// Values at the limits of a double: sums and moments overflow.
Case extremes(const std::string& name, double low, double high) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Case c = numbers(name, {10, 10, 10}, {5, 10, 20});
  c.sides.bins.edges = {-1.7e308, 0, 1e308, 1.7e308};
  c.sides.rs = {0, low, 0, high, 0};
  c.sides.cs = {0, low, 5, high, 0};
  c.reference = c.current = Moments();
  for (int i = 0; i < 10; ++i) {
    for (Moments* m : {&c.reference, &c.current}) {
      m->add(std::fmax(low, -1.7e308));
      m->add(std::fmin(high, 1.7e308));
    }
  }
  c.sides.bins.edges.back() = std::nextafter(kInfinity, 0);
  return c;
}

std::vector<Case> identical() {
  return {numbers("uniform", {10, 10, 10, 10}, {10, 10, 10, 10}),
          numbers("ties", {1, 500, 3}, {1, 500, 3}),
          numbers("constant", {50}, {50}),
          numbers("two values", {30, 30}, {30, 30}),
          categories("categories", {20, 10, 3, 0}, {20, 10, 3, 0}),
          categories("one category", {20, 0}, {20, 0})};
}

std::vector<Case> awkward() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<Case> cases = {numbers("empty window", {10, 10}, {0, 0}),
                             numbers("empty reference", {0, 0}, {10, 10}),
                             numbers("nothing at all", {0, 0}, {0, 0}),
                             numbers("one sample", {10, 10}, {1, 0}),
                             numbers("two samples", {1, 1}, {1, 1}),
                             numbers("one against one", {1, 0}, {0, 1}),
                             numbers("two against one", {2, 0}, {0, 1}),
                             numbers("a constant moved", {50, 0}, {0, 50}),
                             numbers("a constant spread", {50, 0, 0}, {10, 20, 30}),
                             numbers("ties", {1, 1000, 1}, {1000, 1, 1000}),
                             many("many", {1, 3, 1}, {1, 1, 3}, 1e12),
                             many("very unequal", {1, 1}, {1e-12, 0}, 1e12),
                             categories("new category", {10, 10, 0}, {0, 0, 20}),
                             categories("only other", {0}, {20}),
                             categories("no category", {0}, {0}),
                             extremes("sums near the limit", -1.7e308, 1.7e308),
                             extremes("sums beyond the limit", -kInfinity, kInfinity)};
  Case outside = numbers("all outside", {0, 10, 10}, {0, 0, 0});
  outside.sides.c.front() = 7;
  outside.sides.cs.front() = -700;
  outside.sides.c.back() = 3;
  outside.sides.cs.back() = 900;
  cases.push_back(outside);
  for (const Case& c : identical()) cases.push_back(c);
  return cases;
}

class EveryDistance : public ::testing::TestWithParam<std::string> {
 protected:
  const DistanceRegistry::Unit& unit() const { return *distances().find(GetParam()); }

  // The defaults, and each choice of each parameter alone.
  std::vector<Given> variants() const {
    std::vector<Given> out = {{}};
    for (const ParamSpec& spec : unit().descriptor.params) {
      for (const std::string& choice : spec.choices) out.push_back({{spec.name, choice}});
      if (spec.type == driftd::ParamType::kBoolean) out.push_back({{spec.name, "true"}});
      if (spec.name == "bins") out.push_back({{spec.name, "2"}});
    }
    return out;
  }
  static Score score(const Distance& distance, const Case& c) {
    Binned reference = c.sides.reference(), current = c.sides.current();
    reference.moments = c.reference;
    current.moments = c.current;
    return distance.score(reference, current, true);
  }
  void expect_sane(const Score& s, const Case& c) const {
    if (s.no_verdict != nullptr) {
      bool listed = false;
      for (const Reason& r : unit().descriptor.reasons) listed = listed || r.word == s.no_verdict;
      EXPECT_TRUE(listed) << s.no_verdict << " is not among the reasons";
      return;
    }
    EXPECT_TRUE(std::isfinite(s.value)) << s.value;
    EXPECT_TRUE(std::isfinite(s.excess.value_or(0))) << *s.excess;
    EXPECT_GE(s.p_value.value_or(0), 0);
    EXPECT_LE(s.p_value.value_or(0), 1);
    EXPECT_LT(s.worst_bin, c.sides.r.size());
  }
};

TEST_P(EveryDistance, IsDocumented) {
  expect_documented(unit().descriptor);
  expect_says_what_null_and_nan_do(unit().descriptor);
  EXPECT_FALSE(unit().descriptor.reasons.empty());
}

TEST_P(EveryDistance, ItsExampleMakesACheck) {
  const std::string& example = unit().descriptor.example;
  ErrorList errors;
  const Node node = app::parse_yaml(example, errors);
  ASSERT_TRUE(errors.empty() && node.is_map()) << example;
  ASSERT_NE(node.find("metric"), nullptr);
  EXPECT_EQ(node.find("metric")->scalar, GetParam());
  rules::CheckFixture f({rules::field("temperature"), rules::field("vibration"), rules::field("status", FieldKind::kCategory)});
  const auto* check = rules::checks().find("distance");
  std::vector<std::string> common;
  for (const ParamSpec& spec : rules::common_params()) common.push_back(spec.name);
  const Params params = read_params(node, check->descriptor.params, "example", errors, common);
  EXPECT_TRUE(errors.empty()) << example;
  EXPECT_TRUE(check->make.make(params, f.context(node.find("field")->scalar)).ok());
}

TEST_P(EveryDistance, IdenticalSamplesAreNotApart) {
  for (const Given& given : variants()) {
    const auto distance = make_distance(GetParam(), given);
    for (const Case& c : identical()) {
      SCOPED_TRACE(c.name + (given.empty() ? "" : ", " + given[0].first + " " + given[0].second));
      if (!c.sides.bins.numeric() && !distance->for_categories()) continue;
      const Score s = score(*distance, c);
      if (s.no_verdict != nullptr) {
        EXPECT_STREQ(s.no_verdict, "constant_reference");
        continue;
      }
      // Standardised statistics of no difference lie below the mean under no change.
      EXPECT_TRUE(std::fabs(s.value) < 1e-12 || (s.excess && *s.excess < 0 && s.value < 0)) << s.value;
      EXPECT_GT(s.p_value.value_or(1), 0.5);
    }
  }
}

// Smoothing of empty bins alone is what may be left.
TEST_P(EveryDistance, EqualSharesOfAnotherSizeAreNotApart) {
  const auto distance = make_distance(GetParam());
  for (const Case& c : {numbers("three values", {2000, 1000, 3000}, {60, 30, 90}), numbers("constant", {500}, {100})}) {
    SCOPED_TRACE(c.name);
    const Score s = score(*distance, c);
    if (s.no_verdict != nullptr) {
      EXPECT_STREQ(s.no_verdict, "constant_reference");
      continue;
    }
    EXPECT_TRUE(std::fabs(s.value) < 1e-3 || (s.excess && *s.excess < 0 && s.value < 0)) << s.value;
    EXPECT_GT(s.p_value.value_or(1), 0.5);
  }
}

TEST_P(EveryDistance, IsNeverNaNWhateverTheSamples) {
  for (const Given& given : variants()) {
    const auto distance = make_distance(GetParam(), given);
    for (const Case& c : awkward()) {
      SCOPED_TRACE(c.name + (given.empty() ? "" : ", " + given[0].first + " " + given[0].second));
      expect_sane(score(*distance, c), c);
    }
  }
}

TEST_P(EveryDistance, AnEmptySideHasNoScore) {
  const auto distance = make_distance(GetParam());
  for (const char* name : {"empty window", "empty reference", "nothing at all"}) {
    for (const Case& c : awkward()) {
      if (c.name != name) continue;
      const Score s = score(*distance, c);
      ASSERT_NE(s.no_verdict, nullptr) << name;
      EXPECT_STREQ(s.no_verdict, "too_few_samples") << name;
    }
  }
}

TEST_P(EveryDistance, GrowsWithTheDistance) {
  const auto distance = make_distance(GetParam());
  const Score none = score(*distance, numbers("", {40, 40, 40, 40}, {40, 40, 40, 40}));
  const Score near = score(*distance, numbers("", {40, 40, 40, 40}, {30, 40, 45, 45}));
  const Score far = score(*distance, numbers("", {40, 40, 40, 40}, {1, 9, 50, 100}));
  EXPECT_LT(none.value, near.value);
  EXPECT_LT(near.value, far.value);
  EXPECT_TRUE(distance->can_be_negative() || none.value >= 0) << none.value;
  EXPECT_EQ(far.p_value.has_value(), distance->has_p_value());
  if (far.p_value) {
    EXPECT_LT(*far.p_value, 1e-4);
    EXPECT_GT(*near.p_value, 0.01);
  }
}

TEST_P(EveryDistance, TellsCategoriesFromNumbers) {
  const auto distance = make_distance(GetParam());
  const Score s = score(*distance, categories("", {20, 10, 3, 0}, {3, 10, 20, 5}));
  if (distance->for_categories()) {
    EXPECT_EQ(s.no_verdict, nullptr);
    EXPECT_FALSE(distance->needs_sums());
  } else {
    ASSERT_NE(s.no_verdict, nullptr);
    EXPECT_STREQ(s.no_verdict, "not_numeric");
  }
}

TEST_P(EveryDistance, SaysThatItNeedsSums) {
  const auto distance = make_distance(GetParam());
  Case c = numbers("", {40, 40, 40}, {10, 40, 70});
  const Score with = score(*distance, c);
  EXPECT_EQ(with.no_verdict, nullptr);
  c.sides.rs.clear();
  c.sides.cs.clear();
  const Score without = score(*distance, c);
  if (distance->needs_sums()) {
    ASSERT_NE(without.no_verdict, nullptr);
    EXPECT_STREQ(without.no_verdict, "not_defined");
  } else {
    EXPECT_EQ(without.value, with.value);
  }
}

TEST_P(EveryDistance, KeepsNothingBetweenScores) {
  const auto distance = make_distance(GetParam());
  const Case c = numbers("", {40, 40, 40}, {10, 40, 70});
  const Score first = score(*distance, c);
  for (const Case& other : awkward()) score(*distance, other);
  const Score again = score(*distance, c);
  EXPECT_EQ(first.value, again.value);
  EXPECT_EQ(first.p_value, again.p_value);
  EXPECT_EQ(first.excess, again.excess);
  EXPECT_EQ(first.worst_bin, again.worst_bin);
}

INSTANTIATE_TEST_SUITE_P(All, EveryDistance, ::testing::ValuesIn(distances().names()), [](const auto& unit) { return unit.param; });

}  // namespace
}  // namespace driftd::stats
