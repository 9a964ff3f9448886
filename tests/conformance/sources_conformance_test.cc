// What every registered source must keep to, with no server anywhere near.
#include <algorithm>
#include <fstream>

#include "app/config/yaml.h"
#include "ingest/http_intake.h"
#include "tests/conformance/bad_parameters.h"
#include "tests/conformance/unit_descriptor.h"
#include "tests/ingest/source_harness.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::ingest {
namespace {

constexpr Duration kQuick = 10 * kSecond;  // of what should take milliseconds, on a busy machine
constexpr const char* kNobody = "127.0.0.1:1";

class EverySource : public ::testing::TestWithParam<std::string> {
 protected:
  EverySource() {
    context_.stream = "s";
    context_.data_dir = folder_.path();
    context_.journal_cap = 2 << 20;
    context_.telemetry = &telemetry_;
    context_.clock = &clock_;
    context_.sensor_path = "id";
    std::ofstream(folder_.path() + "/a.csv") << "id,ts\na,1700000000000\nb,1700000001000\n";
    std::ofstream(folder_.path() + "/secret") << "secret\n";
    std::filesystem::permissions(folder_.path() + "/secret", std::filesystem::perms::owner_read);
  }

  const SourceRegistry::Unit& unit() const { return *sources().find(GetParam()); }
  bool needs_server() const { return has("brokers") || has("url"); }
  bool has(const std::string& name) const {
    const auto& specs = unit().descriptor.params;
    return std::any_of(specs.begin(), specs.end(), [&](const auto& s) { return s.name == name; });
  }

  // The settings of the unit's example, which must be under `from: NAME`.
  Node example() const {
    ErrorList errors;
    const Node root = app::parse_yaml(unit().descriptor.example, errors);
    EXPECT_TRUE(errors.empty()) << unit().descriptor.example;
    const Node* from = root.find("from");
    const Node* settings = from == nullptr ? nullptr : from->find(GetParam());
    EXPECT_NE(settings, nullptr) << unit().descriptor.example;
    return settings == nullptr ? Node() : *settings;
  }
  // The example with files that exist and servers that do not.
  Node settings() const {
    Node out = example();
    if (has("brokers")) out = with_value(out, "brokers", Node::text(kNobody));
    if (has("paths")) out = with_value(out, "paths", Node::text(folder_.path() + "/a.csv"));
    for (auto& [name, value] : out.entries) {
      if (name.ends_with("_file")) value = Node::text(folder_.path() + "/secret");
      if (name == "url") value = Node::text(value.scalar.substr(0, value.scalar.find("://") + 3) + kNobody);
    }
    return out;
  }
  std::unique_ptr<Source> make() {
    auto made = make_source(GetParam(), settings(), context_);
    if (!made) ADD_FAILURE() << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
  // Partitions that were given and not taken away again, in order of their names.
  std::vector<std::string> held() const {
    std::vector<std::string> out;
    for (const std::string& event : handler_.events) {
      const std::string partition = event.substr(event.find(' ') + 1);
      const auto at = std::find(out.begin(), out.end(), partition);
      if (event.starts_with("assigned")) {
        EXPECT_EQ(at, out.end()) << event << " twice";
        out.push_back(partition);
      } else {
        EXPECT_NE(at, out.end()) << event << " without being assigned";
        if (at != out.end()) out.erase(at);
      }
    }
    return out;
  }
  // Sends a record to a source that takes them by call.
  static void feed(Source& source) {
    if (auto* intake = dynamic_cast<HttpIntake*>(&source)) {
      EXPECT_EQ(intake->submit(R"({"id":"a","ts":1})", "application/json").status, 200);
    }
  }

  TempFolder folder_;
  Telemetry telemetry_;
  ManualClock clock_{1'700'000'000 * kSecond};
  SourceContext context_;
  RecordingHandler handler_;
  RawBatch batch_;
};

TEST_P(EverySource, IsDocumented) { expect_documented_in_full(unit().descriptor); }

TEST_P(EverySource, ItsExampleMakesASource) {
  ErrorList errors;
  read_params(example(), unit().descriptor.params, GetParam(), errors);
  for (const ConfigError& e : errors.errors()) ADD_FAILURE() << e.message;
  EXPECT_NE(make(), nullptr);  // and may go without having been opened
}

TEST_P(EverySource, BadParametersAreErrors) {
  expect_bad_parameters_are_errors(unit().descriptor, settings(), [this](const Params& params) { return unit().make(params, context_); });
}

TEST_P(EverySource, OpensAndClosesAtOnceWithoutAServer) {
  const Duration start = monotonic_now();
  auto source = make();
  ASSERT_NE(source, nullptr);
  EXPECT_FALSE(source->status().connected);
  const Status opened = source->open(handler_);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_LT(monotonic_now() - start, kQuick);
  const SourceStatus status = source->status();
  EXPECT_EQ(status.connected, !needs_server());
  if (needs_server()) {
    EXPECT_NE(status.detail.find(kNobody), std::string::npos) << "says where: " << status.detail;
    EXPECT_FALSE(status.assigned);
  }
  const Duration closing = monotonic_now();
  source->close();
  EXPECT_LT(monotonic_now() - closing, kQuick);
  EXPECT_TRUE(held().empty());
  EXPECT_FALSE(source->status().connected);
  EXPECT_FALSE(source->status().assigned);
  EXPECT_FALSE(source->status().detail.empty());
}

TEST_P(EverySource, APollEndsAtItsDeadline) {
  auto source = make();
  ASSERT_TRUE(source->open(handler_).ok());
  source->pause(true);  // so that there is nothing to give
  for (const Duration wait : {Duration{0}, 20 * kMillisecond, 300 * kMillisecond}) {
    batch_.records.resize(3);
    const Duration start = monotonic_now();
    const auto got = source->poll(Deadline::after(wait), batch_);
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_FALSE(*got);
    EXPECT_TRUE(batch_.records.empty()) << "an earlier batch is cleared";
    EXPECT_LT(monotonic_now() - start, wait + kQuick);
  }
  EXPECT_FALSE(source->finished());
  if (needs_server()) {
    EXPECT_FALSE(source->status().connected);
    EXPECT_FALSE(source->status().detail.empty());
  }
}

TEST_P(EverySource, GivesNothingWhilePaused) {
  auto source = make();
  source->pause(true);
  ASSERT_TRUE(source->open(handler_).ok());
  feed(*source);
  for (int i = 0; i < 5; ++i) {
    const auto got = source->poll(Deadline::after(20 * kMillisecond), batch_);
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_FALSE(*got);
    EXPECT_TRUE(batch_.records.empty());
  }
  source->pause(true);
  source->pause(false);
  EXPECT_EQ(drain(*source, 1, needs_server() ? 100 * kMillisecond : 20 * kSecond).empty(), needs_server());
}

TEST_P(EverySource, ClosingTwiceIsFine) {
  auto source = make();
  source->close();  // was never opened
  EXPECT_TRUE(handler_.events.empty());
  source = make();
  ASSERT_TRUE(source->open(handler_).ok());
  feed(*source);
  ASSERT_TRUE(source->poll(Deadline::after(20 * kMillisecond), batch_).ok());
  source->close();
  const auto events = handler_.events;
  source->close();
  EXPECT_EQ(handler_.events, events) << "partitions are given back once";
  const auto got = source->poll(Deadline::after(0), batch_);
  ASSERT_TRUE(got.ok());
  EXPECT_FALSE(*got) << "records after close";
  source->pause(true);
  source->pause(false);
  EXPECT_TRUE(held().empty());
}

TEST_P(EverySource, MayGoWithoutBeingClosed) {
  const Duration start = monotonic_now();
  auto source = make();
  ASSERT_TRUE(source->open(handler_).ok());
  ASSERT_TRUE(source->poll(Deadline::after(20 * kMillisecond), batch_).ok());
  source.reset();
  EXPECT_LT(monotonic_now() - start, 2 * kQuick);
}

INSTANTIATE_TEST_SUITE_P(All, EverySource, ::testing::ValuesIn(sources().names()), [](const auto& unit) { return unit.param; });

}  // namespace
}  // namespace driftd::ingest
