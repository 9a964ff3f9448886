#include "app/run/checkpoint_check.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "app/engine/merger.h"
#include "app/engine/partition_engine.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::app {
namespace {

struct NoRejects final : RejectSink {
  void reject(const RawRecord&, RejectReason, std::string_view) override {}
  void extra_field(std::string_view) override {}
};

class CheckpointCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ErrorList errors;
    const Config config = read_config(
        "streams:\n"
        "  plant:\n"
        "    from: {generator: {}}\n"
        "    decode: {format: json, sensor: sensor, time: {field: ts, unit: ms}}\n"
        "    fields: {temperature: number}\n"
        "    windows: {size: 10s, by: [stream, sensor]}\n"
        "    checks: [{check: in_range, field: temperature, min: 0, max: 50}]\n",
        folder_.path(), errors);
    ASSERT_TRUE(errors.empty());
    config_ = config.streams.front();
    auto plans = plans_for(config_, nullptr, true);
    ASSERT_TRUE(plans.ok());
    loader_.know("plant", *plans);
    store_ = SqliteStore::open(folder_.path() + "/state.db").value();

    NoRejects rejects;
    auto engine = PartitionEngine::make(plans->front().plan, 0, rejects);
    (*engine)->set_next_position(5);
    ByteWriter out;
    (*engine)->save(out);
    partition_ = out.take();
    auto merger = Merger::make(plans->front().plan, nullptr, [](ClosedWindow) {});
    (*merger)->save(out);
    merger_ = out.take();
  }
  CheckpointUnit partition() const { return {"plant", 0, 5, config_.hash, partition_}; }
  CheckpointUnit merger() const { return {"plant", kMergerUnit, 0, config_.hash, merger_}; }
  // Of the checkpoint as it is read again.
  CheckedGeneration check(const Checkpoint& checkpoint) {
    EXPECT_TRUE(store_->put(checkpoint).ok());
    return check_generation(*store_, store_->generations()->front(), loader_);
  }

  ingest::TempFolder folder_;
  StreamConfig config_;
  StateLoader loader_;
  std::unique_ptr<SqliteStore> store_;
  std::string partition_, merger_;
};

TEST_F(CheckpointCheckTest, WhatIsWholeIsWhole) {
  const CheckedGeneration checked = check({{partition(), merger(), {"other", 0, 1, "h", "whatever"}}, "", 7});
  EXPECT_EQ(checked.damaged(), 0U) << checked.what_is_damaged();
  ASSERT_EQ(checked.parts.size(), 4U);
  EXPECT_EQ(checked.parts[0].name(), "alerts");
  EXPECT_EQ(checked.parts[1].name(), "stream other, partition 0");
  EXPECT_EQ(checked.parts[2].name(), "stream plant, merger");
  EXPECT_EQ(checked.parts[3].position, 5);
  EXPECT_EQ(checked.parts[3].bytes, partition_.size());
  EXPECT_EQ(checked.generation.at, 7);
}

TEST_F(CheckpointCheckTest, AStateThatDoesNotLoadIsDamaged) {
  CheckpointUnit broken = partition();
  broken.state.resize(40);
  CheckedGeneration checked = check({{broken, merger()}, "", 1});
  EXPECT_EQ(checked.damaged(), 1U);
  EXPECT_NE(checked.what_is_damaged().find("stream plant, partition 0: "), std::string::npos) << checked.what_is_damaged();
  broken.config_hash = "of a configuration before";
  EXPECT_EQ(check({{broken, merger()}, "", 1}).damaged(), 0U) << "only its position will be used";

  CheckpointUnit no_merger = merger();
  no_merger.state = "x";
  checked = check({{partition(), no_merger}, "", 1});
  EXPECT_NE(checked.what_is_damaged().find("stream plant, merger: "), std::string::npos) << checked.what_is_damaged();
  EXPECT_NE(check({{partition(), merger()}, "no hub", 1}).what_is_damaged().find("alerts: "), std::string::npos);
}

TEST_F(CheckpointCheckTest, NamesThreeOfManyThatAreDamaged) {
  Checkpoint all;
  for (int p = 0; p < 5; ++p) all.units.push_back({"plant", p, 5, config_.hash, "x"});
  const CheckedGeneration checked = check(all);
  EXPECT_EQ(checked.damaged(), 5U);
  const std::string text = checked.what_is_damaged();
  EXPECT_NE(text.find("partition 2"), std::string::npos) << text;
  EXPECT_EQ(text.find("partition 3"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("; and 2 more")) << text;
}

TEST_F(CheckpointCheckTest, TheBestIsTheOneWithTheLeastDamageThenTheNewest) {
  const auto damaged = [](int parts) {
    CheckedGeneration g;
    for (int i = 0; i < 3; ++i) {
      g.parts.emplace_back();
      if (i < parts) g.parts.back().intact = Error{ErrorCode::kCorrupt, "x"};
    }
    return g;
  };
  EXPECT_EQ(best_of({damaged(0), damaged(0)}), 0U);
  EXPECT_EQ(best_of({damaged(1), damaged(0)}), 1U);
  EXPECT_EQ(best_of({damaged(1), damaged(1)}), 0U) << "damage that both have is no reason to go back";
  EXPECT_EQ(best_of({damaged(2), damaged(1)}), 1U);
  EXPECT_EQ(best_of({damaged(1)}), 0U);
  CheckedGeneration cut = damaged(0);
  cut.readable = Error{ErrorCode::kCorrupt, "a page"};
  EXPECT_EQ(best_of({cut, damaged(0)}), 1U);
}

}  // namespace
}  // namespace driftd::app
