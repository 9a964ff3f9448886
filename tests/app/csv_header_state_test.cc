// The largest header that a CSV stream takes is in its checkpoint, and is loaded from there.
#include <gtest/gtest.h>

#include "app/engine/partition_engine.h"
#include "app/run/checkpoint_check.h"

namespace driftd::app {
namespace {

struct NoRejects final : RejectSink {
  void reject(const RawRecord&, RejectReason, std::string_view) override { ++rejected; }
  void extra_field(std::string_view) override {}
  int rejected = 0;
};
struct NoOutput final : OutputSink {
  void take(PartitionOutput) override {}
};

TEST(CsvHeaderState, TheLargestOneIsLoaded) {
  ErrorList errors;
  const Config config = read_config(
      "streams:\n  s:\n    from: {file: {paths: [/nowhere.csv], format: json_lines}}\n"
      "    decode: {format: csv, header: true, sensor: id, time: {field: ts, unit: s}}\n    fields: {x: number}\n"
      "    windows: {size: 1m, by: [stream]}\n    checks: [{check: not_null, field: x}]\n",
      "", errors);
  ASSERT_TRUE(errors.empty()) << format_errors("test", errors);
  const auto plans = plans_for(config.streams.front(), nullptr, false);
  ASSERT_TRUE(plans.ok());
  std::string header = "id,ts,x";
  while (header.size() + 4 < config.streams.front().decode.max_record && header.size() + 4 < (1U << 20)) header += ",a";
  NoRejects rejects;
  NoOutput sink;
  RawBatch raw;
  raw.records.resize(2);
  raw.records[0].payload = header;
  raw.records[1].payload = "p,1700000000,1";
  raw.records[1].position = 1;
  raw.next_position = 2;
  ByteWriter out;
  {
    const auto engine = std::move(PartitionEngine::make(plans->front().plan, 0, rejects)).value();
    engine->process(raw, sink);
    engine->save(out);
  }
  ASSERT_GT(out.size(), 1U << 20);
  const auto again = std::move(PartitionEngine::make(plans->front().plan, 0, rejects)).value();
  ByteReader in(out.bytes());
  const Status loaded = again->load(in);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
}

}  // namespace
}  // namespace driftd::app
