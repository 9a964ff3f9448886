#include "app/engine/editions.h"

#include "app/engine/reference_plans.h"
#include "stats/distance.h"
#include "tests/app/engine_fixture.h"

namespace driftd::app {
namespace {

// A reference whose temperatures are counted in bins around `centre`; the site is always north.
std::shared_ptr<const stats::Reference> reference_around(double centre, std::uint32_t version) {
  auto r = std::make_shared<stats::Reference>();
  r->name = "pumps";
  r->version = version;
  r->hash = "hash" + std::to_string(version);
  stats::SegmentProfile segment;
  segment.rows = 100;
  stats::FieldProfile temperature;
  temperature.name = "temperature";
  temperature.valid = 100;
  for (int i = 0; i < 100; ++i) temperature.moments.add(centre + i % 2);
  temperature.bins.edges = {centre - 1, centre + 0.5, centre + 2};
  temperature.bin_counts = {0, 50, 50, 0};
  temperature.bin_sums = {0, 50 * centre, 50 * (centre + 1), 0};
  stats::FieldProfile site;
  site.name = "site";
  site.kind = FieldKind::kCategory;
  site.valid = 100;
  site.bins.kind = stats::Bins::Kind::kCategory;
  site.bins.categories = {version == 1 ? "north" : "south"};
  site.bin_counts = {100, 0};
  segment.fields = {temperature, site};
  r->segments.push_back(std::move(segment));
  return r;
}

CheckConfig check(const std::string& unit, int field, std::vector<std::pair<std::string, Node>> params) {
  CheckConfig c;
  c.unit = rules::checks().find(unit);
  c.field = field;
  c.name = unit;
  ErrorList errors;
  c.params = read_params(Node::map(std::move(params)), c.unit->descriptor.params, unit, errors);
  EXPECT_TRUE(errors.empty());
  return c;
}

StreamConfig config_with_distance(Duration size, Duration slide) {
  StreamConfig config = test_stream(size, slide, 0);
  config.checks = {check("distance", 0, {{"metric", Node::text("psi")}, {"max", Node::text("0.2")}, {"min_samples", Node::text("5")}}),
                   check("new_category", 1, {{"min_samples", Node::text("5")}})};
  return config;
}

struct Judged {
  Judged(Duration size, Duration slide) : config(config_with_distance(size, slide)) {}

  // Ten rows a minute around `temperature` from minute `from` on.
  static void add(std::vector<Row>& rows, int from, int to, double temperature, const std::string& site) {
    for (int m = from; m < to; ++m) {
      for (int i = 0; i < 10; ++i) rows.push_back({m * kMinute + i * kSecond, "s", temperature + i % 2, site});
    }
  }
  // Adopts the second reference from minute `from` on, before the rows or after the first `at` of them.
  void go(const std::vector<Row>& rows, int from, std::size_t at = 0) {
    auto first = make_plan(config, reference_around(20, 1), true);
    auto second = make_plan(config, reference_around(50, 2), true);
    ASSERT_TRUE(first.ok() && second.ok());
    auto made = StreamEngine::make(*first, rejects, nullptr, [this](ClosedWindow closed) {
      for (Finding& f : closed.findings) {
        if (f.segment.by != "site") found.push_back(std::move(f));
      }
    });
    ASSERT_TRUE(made.ok());
    Feeder feeder(**made, **first, 0);
    feeder.feed({rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(at)});
    EXPECT_LE((*made)->partition(0).value()->next_boundary(), from * kMinute);
    ASSERT_TRUE((*made)->adopt({from * kMinute, *second}).ok());
    feeder.feed({rows.begin() + static_cast<std::ptrdiff_t>(at), rows.end()});
    (*made)->finish();
  }
  // Of the window of a segment that starts at a minute.
  const Finding* find(const std::string& name, int start, const std::string& by = "stream") const {
    for (const Finding& f : found) {
      if (f.check == name && f.window_start == start * kMinute && f.segment.by == by) return &f;
    }
    return nullptr;
  }

  StreamConfig config;
  NoRejects rejects;
  std::vector<Finding> found;
};

TEST(Editions, WindowsThatStartFromThePromotionOnUseTheNewReference) {
  std::vector<Row> rows;
  Judged::add(rows, 10, 13, 20, "north");
  Judged::add(rows, 13, 16, 50, "south");
  for (const std::size_t at : {std::size_t{0}, std::size_t{30}}) {
    Judged run(kMinute, kMinute);
    run.go(rows, 13, at);
    for (const char* by : {"stream", "sensor"}) {
      for (int m = 10; m < 16; ++m) {
        for (const char* name : {"distance", "new_category"}) {
          const Finding* f = run.find(name, m, by);
          ASSERT_NE(f, nullptr) << name << by << m;
          EXPECT_EQ(f->verdict, Verdict::kOk) << name << by << m << f->reason;
          ASSERT_TRUE(f->reference);
          EXPECT_EQ(f->reference->version, m < 13 ? 1U : 2U) << name << by << m;
        }
      }
    }
  }
}

TEST(Editions, RowsOutOfOrderAreCountedForTheirOwnWindow) {
  Judged run(kMinute, kMinute);
  run.config.windows.lateness = 5 * kMinute;
  std::vector<Row> old_rows, new_rows, mixed;
  Judged::add(old_rows, 10, 13, 20, "north");
  Judged::add(new_rows, 13, 16, 50, "south");
  for (std::size_t i = 0; i < old_rows.size(); ++i) {
    mixed.push_back(new_rows[i]);
    mixed.push_back(old_rows[i]);
  }
  run.go(mixed, 13);
  for (int m = 10; m < 16; ++m) {
    for (const char* name : {"distance", "new_category"}) {
      const Finding* f = run.find(name, m);
      ASSERT_NE(f, nullptr) << m;
      EXPECT_EQ(f->verdict, Verdict::kOk) << name << m << f->reason;
      EXPECT_EQ(f->n, name == std::string("distance") ? std::optional<std::uint64_t>(10) : f->n) << m;
    }
  }
}

TEST(Editions, ASlidingWindowAcrossThePromotionHasNoVerdict) {
  std::vector<Row> rows;
  Judged::add(rows, 10, 15, 20, "north");
  Judged::add(rows, 15, 20, 50, "south");
  Judged run(3 * kMinute, kMinute);
  run.go(rows, 15);
  for (const char* by : {"stream", "sensor"}) {
    for (int m = 10; m < 17; ++m) {
      const Finding* f = run.find("distance", m, by);
      ASSERT_NE(f, nullptr) << m << by;
      if (m == 13 || m == 14) {  // 13..16 and 14..17 have parts of both
        EXPECT_EQ(f->verdict, Verdict::kNoVerdict) << m << by;
        EXPECT_EQ(f->reason, "reference_changed") << m << by;
      } else {
        EXPECT_EQ(f->verdict, Verdict::kOk) << m << by << f->reason;
        EXPECT_EQ(f->reference->version, m < 13 ? 1U : 2U);
      }
    }
  }
}

TEST(Editions, StateOfWindowsOfTwoReferencesIsSavedAndLoaded) {
  for (const Duration size : {kMinute, 3 * kMinute}) {
    std::vector<Row> rows;
    Judged::add(rows, 10, 15, 20, "north");
    Judged::add(rows, 15, 20, 50, "south");
    Judged whole(size, kMinute);
    whole.config.windows.lateness = 2 * kMinute;
    whole.go(rows, 15);

    auto first = make_plan(whole.config, reference_around(20, 1), true);
    auto second = make_plan(whole.config, reference_around(50, 2), true);
    NoRejects rejects;
    struct Outputs final : OutputSink {
      void take(PartitionOutput output) override {
        ByteWriter w;
        output.save(w);
        bytes += w.bytes();
      }
      std::string bytes;
    };
    const auto feed = [&](PartitionEngine& engine, std::size_t from, std::size_t to, OutputSink& sink) {
      Batch b;
      b.reset(whole.config.schema, 0);
      BatchBuilder builder(b, whole.config.schema, engine.dictionaries());
      for (std::size_t i = from; i < to; ++i) {
        builder.begin_row();
        builder.set_number(0, rows[i].temperature);
        builder.set_text(1, rows[i].site);
        builder.commit_row(engine.dictionaries().sensors.intern(rows[i].sensor), rows[i].time, kNoTime, static_cast<std::int64_t>(i));
      }
      engine.process_rows(b, sink);
    };
    const auto make = [&] {
      auto engine = PartitionEngine::make(*first, 0, rejects);
      EXPECT_TRUE(engine.ok());
      EXPECT_TRUE((*engine)->adopt({15 * kMinute, *second}).ok());
      return std::move(*engine);
    };
    Outputs undisturbed;
    const auto one = make();
    feed(*one, 0, rows.size(), undisturbed);
    one->finish(undisturbed);
    for (std::size_t cut = 5; cut < rows.size(); cut += 7) {
      Outputs parts;
      const auto before = make();
      feed(*before, 0, cut, parts);
      ByteWriter state;
      before->save(state);
      const auto after = make();
      ByteReader in(state.bytes());
      const Status loaded = after->load(in);
      ASSERT_TRUE(loaded.ok()) << loaded.error().message;
      feed(*after, cut, rows.size(), parts);
      after->finish(parts);
      EXPECT_EQ(parts.bytes, undisturbed.bytes) << cut;
    }
    // A state that was counted in the bins of a reference that is not known here is refused.
    Outputs ignored;
    const auto source = make();
    feed(*source, 0, rows.size(), ignored);
    ByteWriter state;
    source->save(state);
    auto stranger = PartitionEngine::make(*first, 0, rejects);
    ByteReader in(state.bytes());
    const Status refused = (*stranger)->load(in);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  }
}

TEST(ReferencePlans, BeginWithNoReferenceWhenTheFirstCameLater) {
  const StreamConfig config = config_with_distance(kMinute, kMinute);
  const auto one = reference_around(20, 1);
  EXPECT_EQ(make_plans(config, {}, false).value().size(), 1U);
  EXPECT_EQ(make_plans(config, {}, false).value()[0].plan->reference, nullptr);
  EXPECT_EQ(make_plans(config, {{kNoTime, one}}, false).value()[0].plan->reference, one);
  const auto later = make_plans(config, {{90 * kSecond, one}}, false).value();
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later[0].plan->reference, nullptr);
  EXPECT_EQ(later[1].from, 2 * kMinute) << "at a window boundary";
  const auto recorded = make_plans(config, for_recorded_data({{90 * kSecond, one}}), false).value();
  ASSERT_EQ(recorded.size(), 1U);
  EXPECT_EQ(recorded[0].plan->reference, one);
}

}  // namespace
}  // namespace driftd::app
