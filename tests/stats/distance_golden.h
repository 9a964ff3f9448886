// Compares a distance with the oracle's numbers of tests/golden/distances.json (scripts/golden/distances.py).
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "source_dir.h"
#include "stats/distance.h"

namespace driftd::stats {

inline std::unique_ptr<Distance> make_distance(const std::string& name,
                                               const std::vector<std::pair<std::string, std::string>>& given = {}) {
  const auto* unit = distances().find(name);
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

// Two sides over the same bins, that own their arrays.
struct Sides {
  Bins bins;
  std::vector<double> r, c, rs, cs;
  Moments moments;

  Binned reference() const { return side(r, rs); }
  Binned current() const { return side(c, cs); }
  Binned side(const std::vector<double>& counts, const std::vector<double>& sums) const {
    Binned b{&bins, counts, sums, 0, moments};
    for (const double x : counts) b.n += x;
    return b;
  }
};

// One bin a value 0, 1, 2, ... between open ends, with these counts of each.
inline Sides value_sides(const std::vector<double>& reference, const std::vector<double>& current) {
  Sides s;
  s.bins.kind = Bins::Kind::kValue;
  s.bins.edges = {-1e-9};
  s.r = s.c = s.rs = s.cs = {0};
  for (std::size_t i = 0; i < reference.size(); ++i) {
    s.bins.edges.push_back(static_cast<double>(i));
    s.r.push_back(reference[i]);
    s.c.push_back(current[i]);
    s.rs.push_back(reference[i] * static_cast<double>(i));
    s.cs.push_back(current[i] * static_cast<double>(i));
    for (int k = 0; k < reference[i]; ++k) s.moments.add(static_cast<double>(i));
  }
  for (auto* v : {&s.r, &s.c, &s.rs, &s.cs}) v->push_back(0);
  return s;
}

// The cases of a file of tests/golden. By value, so that a range-for keeps them alive.
inline nlohmann::json golden_cases(const std::string& name) {
  std::ifstream file(std::string(DRIFTD_SOURCE_DIR) + "/tests/golden/" + name + ".json");
  return nlohmann::json::parse(file)["cases"];
}

// The two sides of a case of such a file.
inline Sides read_sides(const nlohmann::json& c) {
  Sides s;
  s.r = c["reference"].get<std::vector<double>>();
  s.c = c["current"].get<std::vector<double>>();
  if (c["edges"].is_null()) {
    s.bins.kind = Bins::Kind::kCategory;
    for (std::size_t i = 0; i + 1 < s.r.size(); ++i) s.bins.categories.push_back(std::string(1, static_cast<char>('a' + i)));
  } else {
    s.bins.kind = Bins::Kind::kValue;
    s.bins.edges = c["edges"].get<std::vector<double>>();
  }
  if (c.contains("reference_sums")) {
    s.rs = c["reference_sums"].get<std::vector<double>>();
    s.cs = c["current_sums"].get<std::vector<double>>();
    s.moments.n = 2;
    s.moments.m2 = 2 * c["sd0"].get<double>() * c["sd0"].get<double>();
  }
  return s;
}

// The score of one entry of a case's "expect": [metric, value, p-value, parameters].
inline Score score_golden(const Sides& sides, const nlohmann::json& expect) {
  std::vector<std::pair<std::string, std::string>> params;
  for (const auto& [key, value] : expect[3].items()) params.emplace_back(key, value.get<std::string>());
  return make_distance(expect[0], params)->score(sides.reference(), sides.current(), true);
}

// Null in the file: not known there.
inline void expect_score(const Score& score, const nlohmann::json& expect, double tolerance, double p_tolerance, const std::string& where) {
  ASSERT_EQ(score.no_verdict, nullptr) << where << ": " << score.no_verdict;
  if (!expect[1].is_null()) {
    const double value = expect[1];
    EXPECT_NEAR(score.value, value, tolerance * std::max(1.0, std::fabs(value))) << where;
  }
  if (!expect[2].is_null()) {
    ASSERT_TRUE(score.p_value) << where;
    EXPECT_NEAR(*score.p_value, expect[2].get<double>(), p_tolerance) << where;
  }
}

inline void expect_golden(const std::string& name, double p_tolerance = 1e-9, double tolerance = 1e-9) {
  int compared = 0;
  for (const auto& c : golden_cases("distances")) {
    const Sides sides = read_sides(c);
    for (const auto& expect : c["expect"]) {
      if (expect[0] != name) continue;
      const std::string where = name + " on " + c["name"].get<std::string>() + " " + expect[3].dump();
      expect_score(score_golden(sides, expect), expect, tolerance, p_tolerance, where);
      ++compared;
    }
  }
  EXPECT_GE(compared, 4) << name;
}

}  // namespace driftd::stats
