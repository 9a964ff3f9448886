#include "app/commands/demo_plan.h"

#include <gtest/gtest.h>

#include "app/config/config.h"

namespace driftd::app {
namespace {

TEST(DemoPlan, ItsConfigurationIsValidAndHasACheckForEveryFault) {
  ErrorList errors;
  const Config config = read_config(demo_config("localhost:1", "data", "127.0.0.1:0"), "", errors);
  ASSERT_TRUE(errors.empty()) << format_errors("demo", errors);
  const std::string text = demo_config("localhost:1", "data", "127.0.0.1:0");
  for (const PlantedFault& fault : demo_faults()) {
    EXPECT_NE(text.find("{check: " + fault.check), std::string::npos) << fault.what;
    EXPECT_TRUE(fault.field.empty() || config.streams.at(0).schema.index_of(fault.field)) << fault.what;
  }
}

TEST(DemoPlan, FaultsComeOneAfterTheOtherBehindACleanStretch) {
  Duration last = 0;
  for (const PlantedFault& fault : demo_faults()) {
    EXPECT_GE(fault.from, last == 0 ? kDemoClean : last + kDemoWindow) << fault.what;
    EXPECT_GT(fault.to, fault.from);
    EXPECT_EQ(fault.from % kDemoWindow, 0) << "whole windows";
    last = fault.to;
  }
  EXPECT_GT(demo_length(), last + kDemoWindow);
}

TEST(DemoPlan, AFindingNamesItsFaultOnly) {
  const PlantedFault fault = demo_faults().front();
  ASSERT_EQ(fault.sensors.size(), 1U);
  const Time start = 1'700'000'000 * kSecond;
  Finding f;
  f.verdict = Verdict::kFail;
  f.check = fault.check;
  f.field = fault.field;
  f.segment = {"sensor", "pump-03"};
  f.window_start = start + fault.from;
  f.window_end = f.window_start + kDemoWindow;
  EXPECT_TRUE(names(f, fault, start));
  const auto without = [&](const auto& change) {
    Finding other = f;
    change(other);
    return names(other, fault, start);
  };
  EXPECT_FALSE(without([](Finding& o) { o.verdict = Verdict::kNoVerdict; }));
  EXPECT_FALSE(without([](Finding& o) { o.check = "in_range"; }));
  EXPECT_FALSE(without([](Finding& o) { o.field = "pressure"; }));
  EXPECT_FALSE(without([](Finding& o) { o.segment.value = "pump-04"; }));
  EXPECT_FALSE(without([](Finding& o) { o.segment = {"stream", ""}; })) << "of a stream, without its example";
  EXPECT_TRUE(without([](Finding& o) {
    o.segment = {"stream", ""};
    o.detail = {{"first_sensor", "pump-03", std::nullopt}};
  }));
  EXPECT_FALSE(without([&](Finding& o) { o.window_end = start + fault.from; })) << "a window before it";
  EXPECT_FALSE(without([&](Finding& o) {
    o.window_start = start + fault.to + kDemoWindow;
    o.window_end = o.window_start + kDemoWindow;
  })) << "a window behind it";
}

constexpr Time kStart = 1767225600 * kSecond;

std::vector<PlantedFault> all_found() {
  std::vector<PlantedFault> faults = demo_faults();
  for (PlantedFault& f : faults) {
    f.found_at = kStart + f.from + kDemoWindow;
    f.found_by = f.check;
  }
  return faults;
}

TEST(DemoPlan, EveryFaultFoundAndNothingEarlyIsGood) {
  const auto faults = all_found();
  const DemoOutcome outcome = demo_outcome(faults, 0, kStart, kStart + demo_length());
  EXPECT_EQ(outcome.found, 7U);
  EXPECT_TRUE(outcome.good());
  const std::string table = demo_summary(faults, 0, kStart, kStart + demo_length());
  EXPECT_NE(table.find("7 of 7 planted faults found, 0 finding(s) before the first fault"), std::string::npos) << table;
  EXPECT_EQ(table.find("NOT FOUND"), std::string::npos) << table;
}

TEST(DemoPlan, AFaultThatIsMissedIsNotGood) {
  auto faults = all_found();
  faults[2].found_at = kNoTime;
  const Time end = kStart + faults[2].to;
  EXPECT_FALSE(demo_outcome(faults, 0, kStart, end).good());
  EXPECT_EQ(demo_outcome(faults, 0, kStart, end).missed, 1U);
  EXPECT_NE(demo_summary(faults, 0, kStart, end).find("NOT FOUND"), std::string::npos);
}

TEST(DemoPlan, AFindingBeforeAnyFaultIsNotGood) { EXPECT_FALSE(demo_outcome(all_found(), 1, kStart, kStart + demo_length()).good()); }

TEST(DemoPlan, WhatIsNotOverIsNeitherFoundNorMissed) {
  auto faults = all_found();
  faults[6].found_at = kNoTime;
  for (const Time until : {kNoTime, kStart, kStart + faults[6].to - 1}) {
    const DemoOutcome outcome = demo_outcome(faults, 0, kStart, until);
    EXPECT_EQ(outcome.to_come, 1U);
    EXPECT_EQ(outcome.missed, 0U);
    EXPECT_FALSE(outcome.good()) << "the plan was not played to its end";
    const std::string table = demo_summary(faults, 0, kStart, until);
    EXPECT_EQ(table.find("NOT FOUND"), std::string::npos) << table;
    EXPECT_NE(table.find("6 of 6 planted faults found"), std::string::npos) << table;
    EXPECT_NE(table.find("1 fault(s) were not over"), std::string::npos) << table;
  }
}

TEST(DemoPlan, ASpeedMustReachTheEnd) {
  EXPECT_EQ(*demo_speed(0, 0), 60);
  EXPECT_EQ(*demo_speed(2, 0), 2) << "without an end any speed is right";
  const double needed = *demo_speed(0, 30 * kSecond);
  EXPECT_NEAR(needed * 18, to_seconds(demo_length()), 1e-6);
  EXPECT_EQ(*demo_speed(needed, 30 * kSecond), needed);
  const auto refused = demo_speed(2, 20 * kSecond);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("--speed 2"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(demo_speed(needed * 0.999, 30 * kSecond));
}

TEST(DemoPlan, FaultsDoNotOverlapAndTheDriftIsTheLongest) {
  const auto faults = demo_faults();
  for (std::size_t i = 1; i < faults.size(); ++i) {
    EXPECT_GE(faults[i].from, faults[i - 1].to + kDemoPause);
    EXPECT_EQ(faults[i].from % kDemoWindow, 0);
  }
  EXPECT_GE(faults.back().to - faults.back().from, 10 * kDemoWindow) << "slow: no window shows it by itself at first";
}

}  // namespace
}  // namespace driftd::app
