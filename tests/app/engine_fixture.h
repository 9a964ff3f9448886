// A stream with two numbers, a site and a sensor, and rows made by hand, for engine tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "app/engine/stream_engine.h"

namespace driftd::app {

struct NoRejects final : RejectSink {
  void reject(const RawRecord&, RejectReason, std::string_view) override { ++rejects; }
  void extra_field(std::string_view) override {}
  int rejects = 0;
};

struct Row {
  Time time;
  std::string sensor;
  double temperature;
  std::string site = "north";
};

inline StreamConfig test_stream(Duration size = kMinute, Duration slide = kMinute, Duration lateness = 10 * kSecond) {
  StreamConfig config;
  config.name = "pumps";
  config.decoder = "json";
  config.decode.sensor = "sensor";
  config.decode.time = "ts";
  config.schema.fields = {{.name = "temperature", .kind = FieldKind::kNumber},
                          {.name = "site", .kind = FieldKind::kCategory, .role = FieldRole::kSegment}};
  config.windows = {size, slide, lateness, kMinute, {}};
  config.windows.levels = {{Level::Kind::kStream, "stream", -1}, {Level::Kind::kField, "site", 1}, {Level::Kind::kSensor, "sensor", -1}};
  config.hash = "test";
  return config;
}

// A judging stand-in: reports each window's counts, mean and extremes as a failed finding.
class Probe : public rules::Check {
 public:
  explicit Probe(int field) : field_(static_cast<std::size_t>(field)) {}
  bool row_level() const override { return true; }
  void on_rows(const rules::Rows& rows, rules::RowHits& hits) override {
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      const double v = rows.batch.columns[field_].numbers[r];
      if (v > 100) hits.fail(r, v);
      if (v < 0) hits.skip(r);
    }
  }
  rules::Judgement judge(const stats::Window& window, const stats::Tally& tally) const override {
    const stats::FieldSummary& f = window.fields[field_];
    rules::Judgement j;
    j.verdict = Verdict::kFail;
    j.reason = "seen";
    j.n = window.rows;
    j.value = f.moments.mean;
    j.threshold = f.moments.variance();
    j.detail = {{"failed", "", static_cast<double>(tally.failed)},
                {"skipped", "", static_cast<double>(tally.skipped)},
                {"late", "", static_cast<double>(window.late)},
                {"first", tally.first.set ? record_source(tally.first.partition, tally.first.position) + " " + tally.first.sensor : "-",
                 std::nullopt}};
    return j;
  }

 private:
  std::size_t field_;
};

// As a detector: each row above 100 is a finding of its own.
class RecordProbe final : public Probe {
 public:
  using Probe::Probe;
  bool judges_records() const override { return true; }
  rules::Judgement judge_record(const rules::RowHits::Hit& hit) const override {
    rules::Judgement j;
    j.verdict = Verdict::kFail;
    j.reason = "seen";
    j.value = hit.value;
    return j;
  }
};

inline const rules::CheckRegistry::Unit& record_probe_unit() {
  static const rules::CheckRegistry::Unit unit = {
      {.name = "record_probe"},
      {.field_use = rules::FieldUse::kRequired,
       .kinds = {},
       .make = [](const Params&, const rules::CheckContext& c) -> Result<std::unique_ptr<rules::Check>> {
         return std::unique_ptr<rules::Check>(new RecordProbe(c.field));
       }}};
  return unit;
}

inline const rules::CheckRegistry::Unit& probe_unit() {
  static const rules::CheckRegistry::Unit unit = {
      {.name = "probe"},
      {.field_use = rules::FieldUse::kRequired,
       .kinds = {},
       .make = [](const Params&, const rules::CheckContext& c) -> Result<std::unique_ptr<rules::Check>> {
         return std::unique_ptr<rules::Check>(new Probe(c.field));
       }}};
  return unit;
}

inline std::shared_ptr<const StreamPlan> test_plan(StreamConfig config, const rules::CheckRegistry::Unit& unit = probe_unit()) {
  CheckConfig check;
  check.unit = &unit;
  check.field = 0;
  check.name = "probe";
  config.checks = {check};
  auto plan = make_plan(std::move(config), nullptr, false);
  EXPECT_TRUE(plan.ok());
  return *plan;
}

// Feeds rows to one partition, in batches of `batch` rows; positions count on from the partition's.
class Feeder {
 public:
  Feeder(StreamEngine& engine, const StreamPlan& plan, std::uint32_t partition)
      : engine_(engine), plan_(plan), target_(*engine.partition(partition).value()) {}

  void feed(const std::vector<Row>& rows, std::size_t batch = 1000000) {
    Batch b;
    for (std::size_t from = 0; from < rows.size(); from += batch) {
      b.reset(plan_.config.schema, target_.partition());
      BatchBuilder builder(b, plan_.config.schema, target_.dictionaries());
      for (std::size_t i = from; i < std::min(rows.size(), from + batch); ++i) {
        builder.begin_row();
        builder.set_number(0, rows[i].temperature);
        builder.set_text(1, rows[i].site);
        builder.commit_row(target_.dictionaries().sensors.intern(rows[i].sensor), rows[i].time, kNoTime, position_++);
      }
      engine_.process_rows(target_, b);
    }
  }

 private:
  StreamEngine& engine_;
  const StreamPlan& plan_;
  PartitionEngine& target_;
  std::int64_t position_ = 0;
};

}  // namespace driftd::app
