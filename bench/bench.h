// What the benches share: a plan from a configuration's text, trials that are run in turn, and
// checks that end the program, so that nothing wrong is ever timed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/config/config.h"
#include "app/engine/stream_engine.h"

namespace driftd::bench {

inline void require(bool good, const std::string& what) {
  if (good) return;
  std::fprintf(stderr, "bench: wrong result: %s\n", what.c_str());
  std::exit(1);
}
inline void require_near(double found, double expected, const std::string& what) {
  const double scale = std::max(1.0, std::fabs(expected));
  require(std::fabs(found - expected) <= 1e-9 * scale, what + ": " + std::to_string(found) + ", expected " + std::to_string(expected));
}

inline double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The only stream of a configuration.
inline app::StreamConfig read_stream(const std::string& yaml) {
  ErrorList errors;
  app::Config config = app::read_config(yaml, "", errors);
  require(errors.empty(), app::format_errors("bench.yaml", errors));
  return config.streams.front();
}

inline std::shared_ptr<const app::StreamPlan> plan_of(app::StreamConfig config, std::shared_ptr<const stats::Reference> reference = nullptr,
                                                      bool all_findings = false) {
  auto plan = app::make_plan(std::move(config), std::move(reference), all_findings);
  require(plan.ok(), plan.ok() ? "" : plan.error().message);
  return *plan;
}

struct CountRejects final : RejectSink {
  void reject(const RawRecord&, RejectReason, std::string_view) override { ++rejects; }
  void extra_field(std::string_view) override { ++extra; }
  std::uint64_t rejects = 0, extra = 0;
};

// An engine and what came out of it.
struct Run {
  explicit Run(std::shared_ptr<const app::StreamPlan> plan) {
    auto made = app::StreamEngine::make(std::move(plan), rejects, nullptr, [this](app::ClosedWindow closed) {
      windows += closed.windows;
      for (Finding& f : closed.findings) {
        findings.push_back(std::move(f));
      }
    });
    require(made.ok(), "no engine");
    engine = std::move(*made);
  }
  CountRejects rejects;
  std::uint64_t windows = 0;  // of the stream
  std::vector<Finding> findings;
  std::unique_ptr<app::StreamEngine> engine;
};

// One contender: what it is called, its work, and the seconds of each trial.
struct Contender {
  std::string name;
  std::function<double()> trial;  // returns the seconds of its timed part
  std::vector<double> seconds = {};

  double best() const { return *std::min_element(seconds.begin(), seconds.end()); }
};

// Runs all contenders in turn, so that what else the machine does hits them alike. The first round
// warms up and is not counted.
inline void run_in_turn(std::vector<Contender>& contenders, int rounds) {
  for (int round = 0; round <= rounds; ++round) {
    for (Contender& c : contenders) {
      const double seconds = c.trial();
      if (round > 0) c.seconds.push_back(seconds);
    }
  }
}

// The median over the rounds of how many times as fast `a` is as `b` in the same round.
inline double median_ratio(const Contender& a, const Contender& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.seconds.size(); ++i) {
    ratios.push_back(b.seconds[i] / a.seconds[i]);
  }
  std::sort(ratios.begin(), ratios.end());
  return ratios[ratios.size() / 2];
}

}  // namespace driftd::bench
