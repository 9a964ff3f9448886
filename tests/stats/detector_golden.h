// Compares a detector with river's detections of tests/golden/detectors.json (scripts/golden/detectors.py).
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "source_dir.h"
#include "stats/detector.h"

namespace driftd::stats {

inline std::unique_ptr<Detector> make_detector(const std::string& name, std::vector<std::pair<std::string, std::string>> given = {}) {
  const auto* unit = detectors().find(name);
  EXPECT_NE(unit, nullptr) << name;
  std::vector<std::pair<std::string, Node>> entries;
  for (const auto& [key, value] : given) entries.emplace_back(key, Node::text(value));
  ErrorList errors;
  const Params params = read_params(Node::map(entries), unit->descriptor.params, name, errors);
  EXPECT_TRUE(errors.empty()) << name;
  auto made = unit->make(params);
  EXPECT_TRUE(made.ok());
  return std::move(*made);
}

// The generator of scripts/golden/detectors.py.
inline std::vector<double> golden_stream(const nlohmann::json& stream) {
  std::uint64_t x = stream["seed"];
  const auto uniform = [&x] {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(x >> 11) / 9007199254740992.0;
  };
  std::vector<double> out;
  for (const auto& segment : stream["segments"]) {
    const double a = segment[2], b = segment[3];
    for (int i = 0; i < segment[0].get<int>(); ++i) {
      if (segment[1] == "bernoulli") {
        out.push_back(uniform() < a ? 1 : 0);
        continue;
      }
      double total = 0;
      for (int k = 0; k < 12; ++k) total += uniform();
      out.push_back(a + b * (total - 6));
    }
  }
  return out;
}

inline void expect_river(const std::string& name) {
  std::ifstream file(std::string(DRIFTD_SOURCE_DIR) + "/tests/golden/detectors.json");
  const auto golden = nlohmann::json::parse(file);
  int compared = 0, found = 0;
  for (const auto& run : golden["runs"]) {
    if (run["detector"] != name) continue;
    std::vector<std::pair<std::string, std::string>> params = {{"compat", "river"}};
    for (const auto& [key, value] : run["params"].items()) params.emplace_back(key, value.get<std::string>());
    const auto detector = make_detector(name, params);
    std::vector<int> drifts;
    int warnings = 0, i = 0;
    for (const double v : golden_stream(golden["streams"][run["stream"].get<std::string>()])) {
      const DetectorState state = detector->update(v, 0);
      if (state == DetectorState::kDrift) drifts.push_back(i);
      warnings += state == DetectorState::kWarning ? 1 : 0;
      ++i;
    }
    EXPECT_EQ(drifts, run["drifts"].get<std::vector<int>>()) << run.dump();
    if (name == "ddm") {
      EXPECT_EQ(warnings, run["warnings"].get<int>()) << run.dump();
    }
    ++compared;
    found += static_cast<int>(drifts.size());
  }
  EXPECT_GT(compared, 3);
  EXPECT_GT(found, 3);
}

// Every `every` values the state goes through save and load; nothing may change.
inline void expect_resumable(const std::string& name, const std::vector<double>& values) {
  auto whole = make_detector(name), parts = make_detector(name);
  std::string bytes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(whole->update(values[i], 0), parts->update(values[i], 0)) << i;
    if (i % 97 != 0) continue;
    ByteWriter out;
    parts->save(out);
    bytes = out.take();
    parts = make_detector(name);
    ByteReader in(bytes);
    ASSERT_TRUE(parts->load(in).ok());
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(make_detector(name)->load(in).ok()) << size;
  }
  EXPECT_LT(bytes.size(), 4096U);
}

}  // namespace driftd::stats
