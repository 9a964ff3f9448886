#include "app/engine/stream_engine.h"

#include <random>

#include "tests/app/engine_fixture.h"

namespace driftd::app {
namespace {

struct Outcome {
  std::vector<Finding> findings;
  std::vector<Time> ends;
  std::string lines() const {
    std::string out;
    for (const Finding& f : findings) {
      append_json(out, f);
      out += '\n';
    }
    return out;
  }
};

struct Engine {
  explicit Engine(StreamConfig config, const rules::CheckRegistry::Unit& unit = probe_unit()) : plan(test_plan(std::move(config), unit)) {
    auto made = StreamEngine::make(plan, rejects, nullptr, [this](ClosedWindow closed) {
      run.ends.push_back(closed.end);
      for (Finding& f : closed.findings) run.findings.push_back(std::move(f));
    });
    EXPECT_TRUE(made.ok());
    engine = std::move(*made);
  }
  NoRejects rejects;
  std::shared_ptr<const StreamPlan> plan;
  Outcome run;
  std::unique_ptr<StreamEngine> engine;
};

std::vector<Row> random_rows(unsigned seed, int n, int first_sensor) {
  std::mt19937 random(seed);
  std::vector<Row> rows;
  Time t = 1000 * kMinute;
  for (int i = 0; i < n; ++i) {
    t += static_cast<Time>(random() % 3000) * kMillisecond;
    const Time jitter = static_cast<Time>(random() % 15000) * kMillisecond;  // some come too late
    rows.push_back({t - jitter, "s" + std::to_string(first_sensor + static_cast<int>(random() % 5)),
                    static_cast<double>(random() % 1100) / 10.0 - 2, random() % 2 != 0 ? "north" : "south"});
  }
  return rows;
}

const Finding* find(const Outcome& run, const std::string& by, const std::string& value, Time end) {
  for (const Finding& f : run.findings) {
    if (f.segment.by == by && f.segment.value == value && f.window_end == end) return &f;
  }
  return nullptr;
}

TEST(StreamEngine, ClosesAWindowWhenTheWatermarkPassesIt) {
  Engine e(test_stream());
  Feeder f(*e.engine, *e.plan, 0);
  f.feed({{0, "a", 1}, {30 * kSecond, "a", 3}, {69 * kSecond, "a", 9}});
  EXPECT_TRUE(e.run.ends.empty()) << "the watermark is at 59 s";
  f.feed({{70 * kSecond, "a", 9}});
  ASSERT_EQ(e.run.ends, std::vector<Time>{kMinute});
  const Finding* stream = find(e.run, "stream", "", kMinute);
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->n, 2U);
  EXPECT_EQ(stream->value, 2.0);
  EXPECT_EQ(stream->window_start, 0);
  ASSERT_NE(find(e.run, "sensor", "a", kMinute), nullptr);
  ASSERT_NE(find(e.run, "site", "north", kMinute), nullptr);
}

TEST(StreamEngine, CountsLateRecordsAndKeepsThemOutOfWindows) {
  Engine e(test_stream());
  Feeder f(*e.engine, *e.plan, 0);
  f.feed({{0, "a", 1}, {70 * kSecond, "a", 2}, {59 * kSecond, "a", 50}, {130 * kSecond, "a", 3}});
  EXPECT_EQ(e.engine->counters().late, 1U);
  const Finding* second = find(e.run, "stream", "", 2 * kMinute);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->n, 1U);
  EXPECT_EQ(second->detail[2].number, 1.0) << "late";
}

TEST(StreamEngine, WhatComesForWindowsThatSomebodyElseClosedIsLate) {
  Engine e(test_stream());
  e.engine->partition(0).value()->set_closed_until(3 * kMinute);
  Feeder f(*e.engine, *e.plan, 0);
  f.feed({{kMinute, "a", 1}, {2 * kMinute, "a", 1}, {3 * kMinute, "a", 1}, {5 * kMinute, "a", 1}});
  EXPECT_EQ(e.engine->counters().late, 2U);
  EXPECT_EQ(find(e.run, "stream", "", 2 * kMinute), nullptr);
  ASSERT_NE(find(e.run, "stream", "", 4 * kMinute), nullptr);
  EXPECT_EQ(find(e.run, "stream", "", 4 * kMinute)->n, 1U);
}

// No window whose end would hand them over closes while all that comes is late.
TEST(StreamEngine, FindingsOnLateRecordsAreBoundedUntilAWindowCloses) {
  constexpr int kMost = 10000;
  Engine e(test_stream(), record_probe_unit());
  Feeder f(*e.engine, *e.plan, 0);
  const auto on_records = [&] {
    return std::count_if(e.run.findings.begin(), e.run.findings.end(), [](const Finding& x) { return x.record_time.has_value(); });
  };
  f.feed({{0, "a", 1}, {2 * kMinute, "a", 1}});
  f.feed(std::vector<Row>(kMost - 1, {10 * kSecond, "a", 200}));
  f.feed({{3 * kMinute + 10 * kSecond, "a", 1}});
  EXPECT_EQ(on_records(), kMost - 1) << "all, below the bound";
  f.feed(std::vector<Row>(kMost + 5, {10 * kSecond, "a", 200}));
  f.feed({{4 * kMinute, "a", 200}, {5 * kMinute + 10 * kSecond, "a", 1}});
  EXPECT_EQ(on_records(), kMost - 1 + kMost + 1) << "at it; and what is in a window is told in any case";
  EXPECT_EQ(e.engine->counters().late, 2U * kMost + 4) << "all are counted";
}

TEST(StreamEngine, JudgesEmptyWindowsOfASilentStream) {
  Engine e(test_stream());
  Feeder f(*e.engine, *e.plan, 0);
  f.feed({{0, "a", 1}, {5 * kMinute + 10 * kSecond, "a", 2}});
  EXPECT_EQ(e.run.ends.size(), 5U);
  EXPECT_EQ(find(e.run, "stream", "", 3 * kMinute)->n, 0U);
}

TEST(StreamEngine, JumpsOverMoreThanAThousandEmptyWindows) {
  Engine e(test_stream());
  Feeder f(*e.engine, *e.plan, 0);
  f.feed({{0, "a", 1}, {1000000 * kMinute, "a", 2}, {1000002 * kMinute, "a", 2}});
  EXPECT_LT(e.run.ends.size(), 2100U);
  EXPECT_NE(find(e.run, "stream", "", 1000001 * kMinute), nullptr);
}

// Its panes are not closed one by one, and those before it are no part of windows that begin behind them.
TEST(StreamEngine, WindowsOfMoreThanAThousandPanesForgetWhatIsBeforeAJump) {
  Engine e(test_stream(2000 * kSecond, kSecond, 0));
  Feeder f(*e.engine, *e.plan, 0);
  f.feed({{0, "a", 1}, {0, "b", 1}});
  for (int second = 1900; second < 2100; ++second) f.feed({{second * kSecond, "a", 2}});
  const auto whole = find(e.run, "sensor", "a", 2000 * kSecond), jumped = find(e.run, "sensor", "a", 2050 * kSecond);
  ASSERT_NE(whole, nullptr);
  ASSERT_NE(jumped, nullptr);
  EXPECT_EQ(whole->n, 101U);
  EXPECT_EQ(jumped->n, 150U);
  EXPECT_NE(find(e.run, "sensor", "b", 2000 * kSecond), nullptr);
  EXPECT_EQ(find(e.run, "sensor", "b", 2050 * kSecond), nullptr);
}

TEST(StreamEngine, TheCutIntoBatchesChangesNothing) {
  for (const std::size_t batch : {1U, 7U, 64U, 100000U}) {
    Engine whole(test_stream()), cut(test_stream());
    Feeder(*whole.engine, *whole.plan, 0).feed(random_rows(1, 3000, 0));
    whole.engine->finish();
    Feeder(*cut.engine, *cut.plan, 0).feed(random_rows(1, 3000, 0), batch);
    cut.engine->finish();
    ASSERT_GT(whole.run.findings.size(), 100U);
    EXPECT_EQ(whole.run.lines(), cut.run.lines()) << batch;
  }
}

TEST(StreamEngine, TheOrderOfPartitionsChangesNothing) {
  Engine ab(test_stream()), ba(test_stream()), mixed(test_stream());
  const auto a = random_rows(1, 2000, 0), b = random_rows(2, 2000, 5);
  for (Engine* e : {&ab, &ba, &mixed}) e->engine->set_partitions({0, 1});
  Feeder(*ab.engine, *ab.plan, 0).feed(a);
  Feeder(*ab.engine, *ab.plan, 1).feed(b);
  Feeder(*ba.engine, *ba.plan, 1).feed(b);
  Feeder(*ba.engine, *ba.plan, 0).feed(a);
  Feeder fa(*mixed.engine, *mixed.plan, 0), fb(*mixed.engine, *mixed.plan, 1);
  for (std::size_t i = 0; i < 2000; i += 100) {
    fb.feed({b.begin() + static_cast<long>(i), b.begin() + static_cast<long>(i) + 100}, 13);
    fa.feed({a.begin() + static_cast<long>(i), a.begin() + static_cast<long>(i) + 100}, 17);
  }
  for (Engine* e : {&ab, &ba, &mixed}) e->engine->finish();
  ASSERT_GT(ab.run.findings.size(), 100U);
  EXPECT_EQ(ab.run.lines(), ba.run.lines());
  EXPECT_EQ(ab.run.lines(), mixed.run.lines());
}

// Records of one window in several partitions, then silence: whichever partition's clock passes the window's
// end first, the others hand over what they have before the stream's window goes out.
TEST(StreamEngine, AStreamThatPausesKeepsTheRecordsOfAllPartitions) {
  Engine e(test_stream());
  e.engine->set_partitions({0, 1, 2, 3});  // 3 is never heard of
  std::vector<Feeder> feeders;
  for (std::uint32_t p = 0; p < 3; ++p) feeders.emplace_back(*e.engine, *e.plan, p);
  feeders[0].feed({{5 * kSecond, "a", 1}, {6 * kSecond, "a", 2}});
  feeders[1].feed({{55 * kSecond, "b", 3}});
  feeders[2].feed({{30 * kSecond, "c", 4}, {31 * kSecond, "c", 5}, {32 * kSecond, "c", 6}});
  const auto idle = [&](Duration silent) {
    for (std::uint32_t p = 0; p < 4; ++p) e.engine->idle(p, silent);
  };
  idle(kSecond);
  EXPECT_TRUE(e.run.ends.empty()) << "no partition's time has passed the end: 55 + 1 - 10 s";
  idle(15 * kSecond);  // partition 1 is at 60 s; 0 comes before it in the round and has not heard of that
  idle(15 * kSecond + 100 * kMillisecond);
  ASSERT_EQ(e.run.ends, std::vector<Time>{kMinute});
  const Finding* stream = find(e.run, "stream", "", kMinute);
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->n, 6U);
  EXPECT_EQ(stream->value, 3.5);
  ASSERT_FALSE(stream->detail.empty());
  EXPECT_EQ(stream->detail.back().text, "idle");
  EXPECT_EQ(e.engine->counters().late, 0U);
}

TEST(StreamEngine, APartitionIsIdleOnlyWhenItHasHandedOverWhatItHas) {
  Engine e(test_stream());
  e.engine->set_partitions({0, 1});
  Feeder a(*e.engine, *e.plan, 0), b(*e.engine, *e.plan, 1);
  a.feed({{10 * kSecond, "a", 1}});
  e.engine->idle(0, kSecond);  // silent, but its record is in a window that is open
  b.feed({{20 * kSecond, "b", 3}, {5 * kMinute, "b", 9}});
  EXPECT_TRUE(e.run.ends.empty());
  e.engine->idle(0, 2 * kSecond);  // now others are past its window
  EXPECT_EQ(find(e.run, "stream", "", kMinute)->n, 2U);
  EXPECT_EQ(e.run.ends.size(), 4U) << "and nobody waits for it";
  EXPECT_EQ(e.engine->counters().late, 0U);
}

// One partition far ahead takes an idle one no further than its own rows.
TEST(StreamEngine, AnIdlePartitionThatWakesUpGoesOnFromItsOwnRecords) {
  Engine e(test_stream());
  e.engine->set_partitions({0, 1});
  Feeder a(*e.engine, *e.plan, 0), b(*e.engine, *e.plan, 1);
  a.feed({{10 * kSecond, "a", 1}});
  b.feed({{20 * kSecond, "b", 3}, {5 * kMinute + 10 * kSecond, "b", 9}});
  e.engine->idle(0, 2 * kSecond);
  ASSERT_EQ(e.run.ends.size(), 5U);
  e.engine->wake(0);
  // For the sensor nothing is late; minute 1 of the stream has gone out, minute 5 waits for it again.
  a.feed({{70 * kSecond, "a", 2}, {80 * kSecond, "a", 2}, {5 * kMinute + 20 * kSecond, "a", 4}});
  b.feed({{6 * kMinute + 10 * kSecond, "b", 9}});
  EXPECT_EQ(e.run.ends.size(), 5U);
  EXPECT_EQ(e.engine->counters().late, 2U) << "for the stream";
  a.feed({{6 * kMinute + 10 * kSecond, "a", 5}});
  ASSERT_EQ(e.run.ends.size(), 6U);
  ASSERT_NE(find(e.run, "sensor", "a", 2 * kMinute), nullptr);
  EXPECT_EQ(find(e.run, "sensor", "a", 2 * kMinute)->n, 2U);
  EXPECT_EQ(find(e.run, "stream", "", 6 * kMinute)->n, 2U);
  EXPECT_EQ(find(e.run, "stream", "", 6 * kMinute)->detail[2].number, 2.0) << "late";
}

TEST(StreamEngine, RecordsTooLateForASegmentCountWithoutTheStreamsWindowsToo) {
  StreamConfig config = test_stream();
  config.windows.levels = {{Level::Kind::kField, "site", 1}, {Level::Kind::kSensor, "sensor", -1}};
  Engine e(std::move(config));
  e.engine->set_partitions({0, 1});
  Feeder a(*e.engine, *e.plan, 0), b(*e.engine, *e.plan, 1);
  a.feed({{0, "a", 1}});
  b.feed({{20 * kSecond, "b", 3}, {5 * kMinute, "b", 9}});
  e.engine->idle(0, 2 * kSecond);
  e.engine->wake(0);
  a.feed({{70 * kSecond, "a", 2}, {5 * kMinute, "a", 2}});
  EXPECT_EQ(e.engine->counters().late, 1U);
}

// Others have closed the window already, and wait for nothing but that record.
TEST(StreamEngine, AWindowIsPartialAlsoWhereTheFirstRecordCompletesIt) {
  Engine e(test_stream());
  e.engine->set_partitions({0, 1});
  Feeder a(*e.engine, *e.plan, 0), b(*e.engine, *e.plan, 1);
  (*e.engine->partition(0))->warm_up();
  b.feed({{20 * kSecond, "b", 3}, {75 * kSecond, "b", 3}});
  EXPECT_TRUE(e.run.ends.empty());
  a.feed({{75 * kSecond, "a", 1}});
  ASSERT_NE(find(e.run, "stream", "", kMinute), nullptr);
  EXPECT_EQ(find(e.run, "stream", "", kMinute)->reason, "warming_up");
}

// Records before the first one were read by somebody else: they may be in the windows up to 10 s (lateness) behind it.
TEST(StreamEngine, WindowsThatRecordsBeforeTheFirstOneMayBeInGetNoVerdict) {
  Engine e(test_stream());
  e.engine->set_partitions({0, 1});
  Feeder a(*e.engine, *e.plan, 0), b(*e.engine, *e.plan, 1);
  (*e.engine->partition(0))->warm_up();
  a.feed({{50 * kSecond, "a", 1}, {70 * kSecond, "a", 1}, {130 * kSecond, "a", 1}, {200 * kSecond, "a", 1}});
  b.feed({{20 * kSecond, "b", 3}, {70 * kSecond, "b", 3}, {130 * kSecond, "b", 3}, {200 * kSecond, "b", 3}});
  for (const int minute : {1, 2}) {
    for (const auto& [by, value] : {std::pair("sensor", "a"), std::pair("stream", ""), std::pair("site", "north")}) {
      const Finding* f = find(e.run, by, value, minute * kMinute);
      ASSERT_NE(f, nullptr) << minute << by;
      EXPECT_EQ(f->verdict, Verdict::kNoVerdict) << minute << by;
      EXPECT_EQ(f->reason, "warming_up");
    }
    EXPECT_EQ(find(e.run, "sensor", "b", minute * kMinute)->verdict, Verdict::kFail) << "of a partition that is whole";
  }
  for (const char* by : {"stream", "sensor"}) {
    const Finding* f = find(e.run, by, std::string(by) == "sensor" ? "a" : "", 3 * kMinute);
    ASSERT_NE(f, nullptr);
    EXPECT_EQ(f->verdict, Verdict::kFail);
  }
}

TEST(StreamEngine, SlidingWindowsAreMergedPanes) {
  Engine e(test_stream(3 * kMinute, kMinute));
  Feeder f(*e.engine, *e.plan, 0);
  std::vector<Row> rows;
  for (int i = 0; i < 6; ++i) rows.push_back({i * kMinute + kSecond, i == 0 ? "once" : "a", static_cast<double>(i)});
  f.feed(rows);
  e.engine->finish();
  const Finding* third = find(e.run, "stream", "", 3 * kMinute);
  ASSERT_NE(third, nullptr);
  EXPECT_EQ(third->n, 3U);
  EXPECT_EQ(third->value, 1.0);
  EXPECT_EQ(third->window_start, 0);
  EXPECT_NE(find(e.run, "sensor", "once", 3 * kMinute), nullptr) << "its row is still in the window";
  EXPECT_EQ(find(e.run, "sensor", "once", 4 * kMinute), nullptr) << "and has now left it";
}

TEST(StreamEngine, TheFirstExampleNamesItsRecord) {
  Engine e(test_stream());
  Feeder f(*e.engine, *e.plan, 3);
  f.feed({{0, "a", 1}, {1, "b", 101}, {2, "a", 102}, {2, "a", -1}});
  e.engine->finish();
  const Finding* stream = find(e.run, "stream", "", kMinute);
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->detail[0].number, 2.0);
  EXPECT_EQ(stream->detail[1].number, 1.0);
  EXPECT_EQ(stream->detail[3].text, "3:1 b");
}

TEST(StreamEngine, ASavedPartitionGoesOnExactly) {
  const auto rows = random_rows(9, 3000, 0);
  Engine whole(test_stream(5 * kMinute, kMinute));
  Feeder(*whole.engine, *whole.plan, 0).feed(rows);
  for (const std::size_t at : {1U, 500U, 1777U}) {
    struct Sink : OutputSink {
      void take(PartitionOutput o) override { merger->take(std::move(o)); }
      Merger* merger = nullptr;
    } sink;
    NoRejects rejects;
    Outcome run;
    const auto plan = test_plan(test_stream(5 * kMinute, kMinute));
    const auto emit = [&](ClosedWindow c) {
      for (Finding& f : c.findings) run.findings.push_back(std::move(f));
    };
    std::string partition_state, merger_state;
    for (int half = 0; half < 2; ++half) {
      auto engine = std::move(PartitionEngine::make(plan, 0, rejects)).value();
      auto merger = std::move(Merger::make(plan, nullptr, emit)).value();
      sink.merger = merger.get();
      if (half == 1) {
        ByteReader in(partition_state), merger_in(merger_state);
        ASSERT_TRUE(engine->load(in).ok());
        ASSERT_EQ(in.left(), 0U);
        ASSERT_TRUE(merger->load(merger_in).ok());
        ASSERT_EQ(merger_in.left(), 0U);
      }
      Batch b;
      b.reset(plan->config.schema, 0);
      BatchBuilder builder(b, plan->config.schema, engine->dictionaries());
      for (std::size_t i = half == 0 ? 0 : at; i < (half == 0 ? at : rows.size()); ++i) {
        builder.begin_row();
        builder.set_number(0, rows[i].temperature);
        builder.set_text(1, rows[i].site);
        builder.commit_row(engine->dictionaries().sensors.intern(rows[i].sensor), rows[i].time, kNoTime, static_cast<std::int64_t>(i));
      }
      engine->process_rows(b, sink);
      ByteWriter out, merger_out;
      engine->save(out);
      merger->save(merger_out);
      partition_state = out.take();
      merger_state = merger_out.take();
    }
    EXPECT_EQ(run.lines(), whole.run.lines()) << at;
    // Every truncation is refused or leaves something that cannot be a whole state.
    for (std::size_t size = 0; size < partition_state.size(); size += 37) {
      auto engine = std::move(PartitionEngine::make(plan, 0, rejects)).value();
      ByteReader in(std::string_view(partition_state).substr(0, size));
      EXPECT_FALSE(engine->load(in).ok()) << size;
    }
  }
}

}  // namespace
}  // namespace driftd::app
