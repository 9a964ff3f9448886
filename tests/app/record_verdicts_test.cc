#include "app/engine/record_verdicts.h"

#include <gtest/gtest.h>

#include "app/config/config.h"
#include "app/engine/partition_engine.h"

namespace driftd::app {
namespace {

constexpr const char* kYaml = R"(streams:
  s:
    from: {kafka: {brokers: [b], topics: [in]}}
    decode: {sensor: id, time: {field: ts, unit: s}}
    fields: {x: number}
    windows: {size: 10s, lateness: 0s}
    gate: {invalid: bad}
    checks:
      - {check: gap, max: 5s}
      - {check: in_range, field: x, max: 100}
      - {check: in_range, field: x, name: tight, max: 50, severity: info}
      - {check: in_range, field: x, name: severe, max: 200, severity: critical}
      - {check: page_hinkley, field: x}
)";

struct Windows final : OutputSink {
  void take(PartitionOutput) override {}
};

struct Gated {
  explicit Gated(const std::string& gate = "{invalid: bad}", std::shared_ptr<const stats::Reference> reference = nullptr) {
    std::string yaml = kYaml;
    const std::string from = "gate: {invalid: bad}";
    yaml.replace(yaml.find(from), from.size(), gate.empty() ? "quarantine: {failed: true}" : "gate: " + gate);
    ErrorList errors;
    const Config config = read_config(yaml, "", errors);
    EXPECT_TRUE(errors.empty()) << format_errors("c.yaml", errors);
    plan = *make_plan(config.streams[0], std::move(reference), false);
    verdicts = std::make_unique<RecordVerdicts>(plan);
    rejects.verdicts = verdicts.get();
    engine = PartitionEngine::make(plan, 0, rejects).value();
    engine->tell(*verdicts);
  }

  ingest::GateBatch judge(const std::vector<std::string>& payloads) {
    auto raw = std::make_shared<RawBatch>();
    for (const std::string& payload : payloads) raw->arena += payload;
    std::size_t at = 0;
    for (const std::string& payload : payloads) {
      RawRecord record;
      record.payload = std::string_view(raw->arena).substr(at, payload.size());
      record.position = position++;
      raw->records.push_back(record);
      at += payload.size();
    }
    raw->next_position = position;
    engine->process(*raw, windows);
    return verdicts->take(raw);
  }

  struct Rejects final : RejectSink {
    void reject(const RawRecord& record, RejectReason reason, std::string_view detail) override {
      verdicts->rejected(record, reason, detail);
    }
    void extra_field(std::string_view) override {}
    RecordVerdicts* verdicts = nullptr;
  } rejects;
  std::shared_ptr<const StreamPlan> plan;
  std::unique_ptr<RecordVerdicts> verdicts;
  std::unique_ptr<PartitionEngine> engine;
  Windows windows;
  std::int64_t position = 40;
};

std::string row(int second, double x) {
  return "{\"id\":\"a\",\"ts\":" + std::to_string(1700000000 + second) + ",\"x\":" + std::to_string(x) + "}";
}

std::vector<std::string> words(const ingest::GateBatch& batch) {
  std::vector<std::string> out;
  for (const ingest::GateMark& m : batch.marks) {
    out.push_back(std::to_string(m.record) + " " + (m.rejected ? "reject" : m.check + "/" + m.field) + " " + m.reason + " " + m.checks);
  }
  return out;
}

using Words = std::vector<std::string>;

TEST(RecordVerdicts, MarksWhatFailsAndWhatIsNone) {
  Gated gated;
  EXPECT_EQ(words(gated.judge({row(0, 1), "{", row(1, 150), row(2, 70)})), (Words{"1 reject undecodable ", "2 in_range/x out_of_range "}));
}

TEST(RecordVerdicts, ForgetsTheBatchBefore) {
  Gated gated;
  gated.judge({row(0, 150)});
  EXPECT_EQ(words(gated.judge({row(1, 1), row(2, 2)})), Words{});
}

TEST(RecordVerdicts, NamesTheFirstOfSeveralChecksAndListsAll) {
  Gated gated("{invalid: bad, severity: info}");
  EXPECT_EQ(words(gated.judge({row(0, 250), row(1, 60)})),
            (Words{"0 in_range/x out_of_range in_range,tight,severe", "1 tight/x out_of_range "}));
}

TEST(RecordVerdicts, SeverityAndNamesSayWhichChecksCount) {
  EXPECT_EQ(words(Gated("{invalid: bad, severity: critical}").judge({row(0, 150), row(1, 250)})), (Words{"1 severe/x out_of_range "}));
  EXPECT_EQ(words(Gated("{invalid: bad, checks: severe}").judge({row(0, 150), row(1, 250)})), (Words{"1 severe/x out_of_range "}));
}

TEST(RecordVerdicts, WithoutAGateAllChecksOfWarningOrHigherCount) {
  EXPECT_EQ(words(Gated("").judge({row(0, 70), row(1, 150), row(2, 250)})),
            (Words{"1 in_range/x out_of_range ", "2 in_range/x out_of_range in_range,severe"}));
}

TEST(RecordVerdicts, LateRecordsAreJudgedAndASilenceIsNotTheRecordsFault) {
  Gated gated;
  EXPECT_EQ(words(gated.judge({row(0, 1), row(100, 2), row(3, 150), row(101, 3)})), (Words{"2 in_range/x out_of_range "}));
}

TEST(RecordVerdicts, NamesTheReferenceInEveryBatch) {
  auto reference = std::make_shared<stats::Reference>();
  reference->name = "pumps";
  reference->version = 3;
  Gated gated("{invalid: bad}", reference);
  for (int i = 0; i < 2; ++i) {
    const auto batch = gated.judge({row(i, 1)});
    ASSERT_EQ(batch.references.size(), 1U);
    EXPECT_EQ(batch.references[0].from, 0U);
    EXPECT_EQ(batch.references[0].name, "pumps@3");
  }
  EXPECT_TRUE(Gated().judge({row(0, 1)}).references.empty());
}

}  // namespace
}  // namespace driftd::app
