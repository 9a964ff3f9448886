// What every registered detector must keep to, whatever it looks for.
#include <cmath>
#include <limits>
#include <random>

#include "app/config/yaml.h"
#include "tests/conformance/unit_descriptor.h"
#include "tests/rules/check_fixture.h"
#include "tests/stats/detector_golden.h"

namespace driftd::stats {
namespace {

using Given = std::vector<std::pair<std::string, std::string>>;

std::string state_of(const Detector& d) {
  ByteWriter out;
  d.save(out);
  return out.take();
}

class EveryDetector : public ::testing::TestWithParam<std::string> {
 protected:
  const DetectorRegistry::Unit& unit() const { return *detectors().find(GetParam()); }

  std::vector<Given> variants() const {
    std::vector<Given> out = {{}};
    for (const ParamSpec& spec : unit().descriptor.params) {
      for (const std::string& choice : spec.choices) out.push_back({{spec.name, choice}});
    }
    return out;
  }
  // 0 and 1 at a rate that rises, for binary detectors; else noise whose mean moves.
  std::vector<double> stream(unsigned seed, int n = 1200) const {
    const bool binary = make_detector(GetParam())->binary();
    std::mt19937 random(seed);
    std::vector<double> out;
    for (int i = 0; i < n; ++i) {
      const double u = static_cast<double>(random()) / 4294967296.0;
      const bool moved = i / 400 % 2 != 0;
      out.push_back(binary ? (u < (moved ? 0.7 : 0.1) ? 1 : 0) : u + (moved ? 2 : 0));
    }
    return out;
  }
  // Streams that no plant should have and every plant has once.
  std::vector<std::vector<double>> awkward() const {
    std::vector<std::vector<double>> out = {{}, {0}, {1}};
    const bool binary = make_detector(GetParam())->binary();
    out.push_back(std::vector<double>(600, 0));
    out.push_back(std::vector<double>(600, 1));
    std::vector<double> turns;
    for (int i = 0; i < 600; ++i) turns.push_back(i % 2);
    out.push_back(turns);
    if (binary) return out;
    for (const double most : {kMostDetected, 1e15, 1e-300, 5e-324}) {
      std::vector<double> constant(600, most), both, steps;
      for (int i = 0; i < 2000; ++i) both.push_back(i % 2 == 0 ? most : -most);
      for (int i = 0; i < 2000; ++i) steps.push_back(i / 500 % 2 == 0 ? most : -most);
      for (const auto& values : {constant, both, steps}) out.push_back(values);
    }
    std::vector<double> rare(2000, 0.1);
    for (std::size_t i = 100; i < rare.size(); i += 300) rare[i] = kMostDetected;
    out.push_back(rare);
    std::vector<double> high(3000, 1e9);
    for (std::size_t i = 1000; i < high.size(); ++i) high[i] = i < 2000 ? 3 : 1e9 + 1e-3;
    out.push_back(high);
    return out;
  }
};

TEST_P(EveryDetector, IsDocumented) {
  expect_documented(unit().descriptor);
  expect_says_what_null_and_nan_do(unit().descriptor);
}

TEST_P(EveryDetector, ItsExampleMakesADetector) {
  const std::string& example = unit().descriptor.example;
  ErrorList errors;
  const Node node = app::parse_yaml(example, errors);
  ASSERT_TRUE(errors.empty() && node.is_map()) << example;
  ASSERT_NE(node.find("check"), nullptr);
  EXPECT_EQ(node.find("check")->scalar, GetParam());
  std::vector<std::string> common;
  for (const ParamSpec& spec : rules::common_params()) common.push_back(spec.name);
  const Params params = read_params(node, unit().descriptor.params, "example", errors, common);
  EXPECT_TRUE(errors.empty()) << example;
  EXPECT_TRUE(unit().make(params).ok());
}

TEST_P(EveryDetector, SeesAChangeAndNoneWithoutOne) {
  for (const Given& given : variants()) {
    const auto detector = make_detector(GetParam(), given);
    for (int i = 0; i < 500; ++i) {
      ASSERT_NE(detector->update(i % 20 == 0 ? 1 : 0, 0), DetectorState::kDrift) << i;
    }
    int drifts = 0;
    for (int i = 0; i < 500; ++i) drifts += detector->update(1, 0) == DetectorState::kDrift ? 1 : 0;
    const bool falls_only = !given.empty() && given[0].second == "down";
    EXPECT_EQ(drifts > 0, !falls_only);
  }
}

TEST_P(EveryDetector, GoesOnAsIfItHadNeverStopped) {
  for (const Given& given : variants()) {
    const auto whole = make_detector(GetParam(), given);
    auto parts = make_detector(GetParam(), given);
    std::mt19937 random(7);
    int at = 0, drifts = 0;
    for (const double x : stream(1)) {
      if (random() % 13 == 0) {
        const std::string bytes = state_of(*parts);
        parts = make_detector(GetParam(), given);
        for (int i = 0; i < at % 5; ++i) parts->update(1, 0);  // whatever it was before
        ByteReader in(bytes);
        ASSERT_TRUE(parts->load(in).ok()) << at;
        EXPECT_EQ(in.left(), 0U);
        ASSERT_EQ(state_of(*parts), bytes) << at;
      }
      const DetectorState state = whole->update(x, kSecond);
      ASSERT_EQ(state, parts->update(x, kSecond)) << at;
      ASSERT_EQ(whole->statistic(), parts->statistic()) << at;
      ASSERT_EQ(whole->threshold(), parts->threshold()) << at;
      drifts += state == DetectorState::kDrift ? 1 : 0;
      ++at;
    }
    EXPECT_GT(drifts, 0) << "or this shows little";
    EXPECT_EQ(state_of(*whole), state_of(*parts));
  }
}

TEST_P(EveryDetector, ResetIsNew) {
  for (const Given& given : variants()) {
    const auto used = make_detector(GetParam(), given), fresh = make_detector(GetParam(), given);
    for (const double x : stream(2, 700)) used->update(x, kSecond);
    EXPECT_NE(state_of(*used), state_of(*fresh));
    used->reset();
    EXPECT_EQ(state_of(*used), state_of(*fresh));
    for (const double x : stream(3)) {
      ASSERT_EQ(used->update(x, kSecond), fresh->update(x, kSecond));
      ASSERT_EQ(used->statistic(), fresh->statistic());
    }
  }
}

TEST_P(EveryDetector, SaysNoNaNAndKeepsAStateThatCanBeLoaded) {
  for (const Given& given : variants()) {
    int number = 0;
    for (const std::vector<double>& values : awkward()) {
      SCOPED_TRACE("stream " + std::to_string(number++) + (given.empty() ? "" : ", " + given[0].first + " " + given[0].second));
      const auto detector = make_detector(GetParam(), given);
      for (std::size_t i = 0; i < values.size(); ++i) {
        detector->update(values[i], kSecond);
        ASSERT_TRUE(std::isfinite(detector->statistic())) << i;
        ASSERT_TRUE(std::isfinite(detector->threshold())) << i;
      }
      const std::string bytes = state_of(*detector);
      EXPECT_LT(bytes.size(), 8192U);
      ByteReader in(bytes);
      EXPECT_TRUE(make_detector(GetParam(), given)->load(in).ok());
    }
  }
}

TEST_P(EveryDetector, RefusesADamagedState) {
  const auto detector = make_detector(GetParam());
  for (const double x : stream(4, 137)) detector->update(x, kSecond);
  const std::string bytes = state_of(*detector);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(make_detector(GetParam())->load(in).ok()) << size;
  }
  const std::string and_more = bytes + '\0';
  ByteReader longer(and_more);
  EXPECT_FALSE(make_detector(GetParam())->load(longer).ok());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto loaded = make_detector(GetParam());
    ByteReader in(flipped);
    if (!loaded->load(in).ok()) continue;
    ASSERT_EQ(state_of(*loaded), flipped) << "bit " << bit << " is read as something else";
    ASSERT_TRUE(std::isfinite(loaded->statistic())) << bit;
    ASSERT_TRUE(std::isfinite(loaded->threshold())) << bit;
  }
}

TEST_P(EveryDetector, NullsNaNAndNumbersTooLargeNeverReachIt) {
  const bool binary = make_detector(GetParam())->binary();
  const FieldKind kind = binary ? FieldKind::kInteger : FieldKind::kNumber;
  rules::CheckFixture f({rules::field("x", kind)});
  const std::vector<rules::Value> values = {0.0,
                                            Cell::kNull,
                                            Cell::kMissing,
                                            Cell::kNotFinite,
                                            Cell::kWrongType,
                                            2 * kMostDetected,
                                            -2 * kMostDetected,
                                            std::numeric_limits<double>::max(),
                                            1.0};
  for (const rules::Value& v : values) f.add_row({{v}, kSecond * f.batch().rows()});
  const auto check = f.make(GetParam(), {}, "x");
  EXPECT_EQ(f.run(*check).skipped, (std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6, 7}));
}

INSTANTIATE_TEST_SUITE_P(All, EveryDetector, ::testing::ValuesIn(detectors().names()), [](const auto& unit) { return unit.param; });

}  // namespace
}  // namespace driftd::stats
