#include "app/run/finding_hub.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/config/config.h"
#include "core/segment_id.h"
#include "tests/alerts/samples.h"
#include "tests/full_disk.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::app {
namespace {

using alerts::failing;
using alerts::window_end;

// Receivers that are never reached: nothing is dispatched here, so messages stay as they are put.
alerts::AlertsConfig config_of(const std::vector<std::string>& receivers, unsigned for_windows = 1) {
  alerts::AlertsConfig config;
  config.rules.for_windows = for_windows;
  config.group_by = {"stream", "segment"};
  for (const std::string& name : receivers) config.notifiers.push_back({name, "log", {}});
  return config;
}

class FindingHubTest : public ::testing::Test {
 protected:
  void start(const alerts::AlertsConfig& config, std::string_view state = {}) {
    hub_.reset();
    auto made =
        FindingHub::make({.findings_log = folder_.path() + "/findings.jsonl", .outbox = outbox(), .external_url = "", .current = current_},
                         config, state, telemetry_, clock_);
    ASSERT_TRUE(made.ok()) << made.error().message;
    hub_ = std::move(*made);
  }
  std::string outbox() const { return folder_.path() + "/outbox.db"; }

  // Window n of `pumps`, failing or judged well.
  void take(int n, bool fails) {
    ClosedWindow closed;
    closed.stream = "pumps";
    closed.end = window_end(n);
    if (fails) closed.findings = {failing(n)};
    closed.judged = {segment_id({"site", "a"})};
    hub_->take(std::move(closed));
  }
  std::string saved() {
    ByteWriter out;
    EXPECT_TRUE(hub_->save(out).ok());
    return out.take();
  }
  // "receiver type state", ordered.
  std::vector<std::string> messages() const {
    auto outbox_file = alerts::Outbox::open(outbox());
    if (!outbox_file) return {outbox_file.error().message};  // as while it is begun anew
    std::vector<std::string> out;
    const auto rows = (*outbox_file)->list(100, clock_.now());
    for (const alerts::OutboxRow& row : *rows) out.push_back(row.receiver + " " + row.message.type + " " + to_string(row.state));
    std::sort(out.begin(), out.end());
    return out;
  }
  // Types of what a receiver of all is told.
  std::vector<std::string> told_in_order() const {
    auto outbox_file = alerts::Outbox::open(outbox());
    std::vector<std::string> out;
    for (;;) {
      const auto rows = (*outbox_file)->due("hook", clock_.now(), 1);
      if (rows->empty()) return out;
      out.push_back(rows->front().message.type);
      EXPECT_TRUE((*outbox_file)->mark(rows->front().message.id, {}, clock_.now()).ok());
    }
  }
  std::vector<std::string> ids() const {
    auto outbox_file = alerts::Outbox::open(outbox());
    std::vector<std::string> out;
    const auto rows = (*outbox_file)->list(100, clock_.now());
    for (const alerts::OutboxRow& row : *rows) out.push_back(row.message.id);
    std::sort(out.begin(), out.end());
    return out;
  }
  void apply(const alerts::AlertsConfig& config) {
    auto setup = hub_->prepare(config, "");
    ASSERT_TRUE(setup.ok());
    hub_->apply(std::move(*setup));
  }
  static bool wait(const std::function<bool()>& probe) {
    const Deadline deadline = Deadline::after(kMinute);
    while (!probe() && !deadline.passed()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return probe();
  }
  std::size_t lines() const {
    std::ifstream in(folder_.path() + "/findings.jsonl");
    std::size_t n = 0;
    for (std::string line; std::getline(in, line);) ++n;
    return n;
  }

  ingest::TempFolder folder_;
  ManualClock clock_{window_end(0) + kDay};
  Telemetry telemetry_;
  std::function<bool()> current_;
  std::unique_ptr<FindingHub> hub_;
};

using Messages = std::vector<std::string>;

alerts::AlertsConfig with_alertmanager() {
  ErrorList errors;
  Config config = read_config(
      "service: {listen: 127.0.0.1:0}\nstreams:\n  pumps:\n    from: {http: {}}\n    decode: {format: json, sensor: s, time: {field: t, "
      "unit: ms}}\n"
      "    fields: {temperature: number}\n    windows: {size: 10s}\n    checks: [{check: not_null, field: temperature}]\n"
      "alerts: {for: 1, notifiers: {hook: {type: log}, alertmanager: {type: alertmanager, urls: [\"http://127.0.0.1:1\"]}}}\n",
      "", errors);
  EXPECT_TRUE(errors.empty()) << format_errors("yaml", errors);
  return config.alerts;
}

StreamConfig pumps_by_site() {
  StreamConfig stream;
  stream.name = "pumps";
  stream.schema.fields = {{.name = "temperature"}};
  stream.windows.levels = {{Level::Kind::kField, "site", 0}};
  CheckConfig check;
  check.name = failing(1).check;
  check.field = 0;
  stream.checks = {check};
  return stream;
}

TEST_F(FindingHubTest, TakesFindingsIntoLogRingBookAndOutbox) {
  start(config_of({"hook"}));
  take(1, true);
  EXPECT_EQ(lines(), 1U);
  EXPECT_EQ(hub_->findings().size(), 1U);
  EXPECT_EQ(hub_->alerts().size(), 1U);
  EXPECT_EQ(messages(), (Messages{"hook alert.firing pending"}));
  EXPECT_EQ(telemetry_.series(Metric::kAlerts, {"pumps", "warning", "firing"}).value(), 1);
  take(2, false);
  EXPECT_TRUE(hub_->alerts().empty());
  EXPECT_EQ(messages(), (Messages{"hook alert.firing pending", "hook alert.resolved pending"}));
}

// Killed after outbox rows were written and before the checkpoint: what is computed again is the same.
TEST_F(FindingHubTest, ComputesTheSameMessagesAgainAfterACrash) {
  start(config_of({"hook"}, 2));
  take(1, true);
  const std::string checkpoint = saved();
  for (int round = 0; round < 3; ++round) {
    take(2, true);
    take(3, false);
    take(4, false);
    EXPECT_EQ(messages(), (Messages{"hook alert.firing pending", "hook alert.resolved pending"})) << round;
    const std::vector<std::string> before = ids();
    start(config_of({"hook"}, 2), checkpoint);
    EXPECT_EQ(lines(), 1U) << "the log is cut back to the checkpoint";
    EXPECT_EQ(hub_->findings().size(), 1U) << "and what it still has is shown";
    EXPECT_EQ(ids(), before);
    EXPECT_EQ(hub_->alerts().at(0).state, AlertState::kPending);
  }
}

TEST_F(FindingHubTest, GoesOnFromItsCheckpoint) {
  start(config_of({"hook"}));
  take(1, true);
  const Alert fired = hub_->alerts().at(0);
  start(config_of({"hook"}), saved());
  ASSERT_EQ(hub_->alerts().size(), 1U);
  EXPECT_EQ(hub_->alerts()[0].starts_at, fired.starts_at);
  EXPECT_EQ(hub_->alerts()[0].fingerprint, fired.fingerprint);
  take(2, false);
  EXPECT_TRUE(hub_->alerts().empty());
}

// A reload of where a stream comes from, while no checkpoint can be written: it starts anew from an older one.
TEST_F(FindingHubTest, WindowsThatAreComputedAgainAreNotJudgedTwice) {
  StreamConfig stream = pumps_by_site();
  stream.hash = "a";
  start(config_of({"hook"}));
  hub_->configure(stream);
  take(1, false);
  take(2, true);
  hub_->configure(stream);
  take(1, false);
  take(2, true);
  EXPECT_EQ(lines(), 1U);
  EXPECT_EQ(messages(), (Messages{"hook alert.firing pending"})) << "and not that it is over";
  EXPECT_EQ(hub_->alerts().size(), 1U);
  // Killed before the stream was where it had been.
  start(config_of({"hook"}), saved());
  hub_->go_on(stream);
  hub_->configure(stream);
  take(2, true);
  EXPECT_EQ(lines(), 1U);
  take(3, true);
  EXPECT_EQ(lines(), 2U);
  take(2, true);
  EXPECT_EQ(lines(), 2U);
  stream.hash = "b";
  hub_->configure(stream);
  take(2, true);
  EXPECT_EQ(lines(), 3U) << "windows of another configuration are others";
}

TEST_F(FindingHubTest, ForgettingAStreamEndsItsAlertsAndItsSeries) {
  start(config_of({"hook"}));
  take(1, true);
  hub_->forget_others({"pumps"});
  EXPECT_EQ(hub_->alerts().size(), 1U);
  hub_->forget_others({"fans"});
  EXPECT_TRUE(hub_->alerts().empty());
  EXPECT_EQ(messages(), (Messages{"hook alert.firing pending", "hook alert.resolved pending"}));
  for (const Telemetry::Family& family : telemetry_.snapshot()) {
    EXPECT_TRUE(family.metric != Metric::kAlerts || family.samples.empty());
  }
}

TEST_F(FindingHubTest, KeepsMessagesWhileTheOutboxRefusesThem) {
  start(config_of({"hook"}));
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(outbox().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "CREATE TRIGGER no BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END", nullptr, nullptr, nullptr),
            SQLITE_OK);
  take(1, true);
  EXPECT_TRUE(messages().empty());
  ByteWriter out;
  EXPECT_FALSE(hub_->save(out).ok()) << "a checkpoint with the alert and without its message could lose it";
  take(2, false);
  take(3, true);
  ASSERT_EQ(sqlite3_exec(db, "DROP TRIGGER no", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  EXPECT_TRUE(hub_->save(out).ok());
  take(4, false);
  EXPECT_EQ(told_in_order(), (Messages{"alert.firing", "alert.resolved", "alert.firing", "alert.resolved"})) << "each once";
}

TEST_F(FindingHubTest, AnotherConfigurationDropsForGoneReceiversAndTellsNewOnes) {
  start(config_of({"gone", "stays"}));
  take(1, true);
  apply(config_of({"new", "stays"}));
  EXPECT_EQ(messages(), (Messages{"gone alert.firing dropped", "new alert.firing pending", "stays alert.firing pending"}));
  EXPECT_EQ(telemetry_.series(Metric::kOutboxDropped, {"removed"}).value(), 1);
  apply(config_of({"new", "stays"}));
  EXPECT_EQ(messages().size(), 3U) << "told once";
  take(2, false);
  EXPECT_EQ(messages(), (Messages{"gone alert.firing dropped", "new alert.firing pending", "new alert.resolved pending",
                                  "stays alert.firing pending", "stays alert.resolved pending"}));
}

TEST_F(FindingHubTest, AConfigurationThatCannotBeMadeChangesNothing) {
  start(config_of({"hook"}));
  alerts::AlertsConfig wrong = config_of({"hook"}, 9);
  wrong.notifiers.push_back({"broken", "no such type", {}});
  EXPECT_FALSE(hub_->prepare(wrong, "").ok());
  take(1, true);
  EXPECT_EQ(messages(), (Messages{"hook alert.firing pending"}));
}

TEST_F(FindingHubTest, ARestartWithoutAReceiverDropsWhatWaitsForIt) {
  start(config_of({"hook"}));
  take(1, true);
  start(config_of({}), saved());
  EXPECT_EQ(messages(), (Messages{"hook alert.firing dropped"}));
  EXPECT_EQ(hub_->alerts().size(), 1U) << "the alert stays";
}

// Alertmanager's, of which another driftd has told a newer start since.
TEST_F(FindingHubTest, EndsThatOthersHaveOvertakenAreNotTold) {
  for (const bool others_told : {false, true}) {
    start(with_alertmanager());
    take(1 + 2 * others_told, true);
    take(2 + 2 * others_told, false);
    hub_->drop("fans", others_told);
    hub_->drop("pumps", others_told);
    const auto all = messages();
    EXPECT_EQ(std::count(all.begin(), all.end(), "alertmanager alert.resolved pending"), others_told ? 0 : 1);
    EXPECT_EQ(std::count(all.begin(), all.end(), "alertmanager alert.resolved dropped"), others_told ? 2 : 0);
    EXPECT_EQ(std::count(all.begin(), all.end(), "hook alert.resolved pending"), others_told ? 2 : 1) << "messages are told, each";
  }
}

// What was told is repeated for a while, but by the one that leads.
TEST_F(FindingHubTest, EndsThatOthersHaveOvertakenAreNotToldAgain) {
  start(with_alertmanager());
  take(1, true);
  take(2, false);
  const auto outbox_file = alerts::Outbox::open(outbox());
  const auto repeated = [&] {
    return (*outbox_file)->current("alertmanager", clock_.now() - alerts::Dispatcher::kTellEnded, clock_.now());
  };
  ASSERT_EQ(repeated()->size(), 1U);
  ASSERT_TRUE((*outbox_file)->finish(repeated()->front().message.id, alerts::RowState::kDelivered, "", clock_.now()));
  clock_.advance(kSecond);
  hub_->drop("fans", true);
  hub_->drop("pumps", false);
  EXPECT_EQ(repeated()->size(), 1U);
  hub_->drop("pumps", true);
  EXPECT_EQ(repeated()->size(), 0U);
  const auto all = messages();
  EXPECT_EQ(std::count(all.begin(), all.end(), "alertmanager alert.resolved delivered"), 1) << "what was delivered stays known";
}

// Else a crash would lose them: they would not be computed again.
TEST_F(FindingHubTest, NoCheckpointWhileFindingsAreInMemoryOnly) {
  start(config_of({"hook"}, 2));
  ByteWriter out;
  Status refused;
  {
    const FullDisk full(0);
    take(1, true);
    refused = hub_->save(out);
  }
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_EQ(lines(), 0U);
  saved();
  EXPECT_EQ(lines(), 1U);
}

TEST_F(FindingHubTest, AnOutboxThatIsNoDatabaseIsMovedAside) {
  start(config_of({"hook"}));
  take(1, true);
  const std::string state = saved();
  EXPECT_EQ(telemetry_.series(Metric::kStoreDamaged, {"outbox"}).value(), 0);
  hub_.reset();
  std::ofstream(outbox()) << std::string(10000, 'x');
  start(config_of({"hook"}), state);
  EXPECT_EQ(telemetry_.series(Metric::kStoreDamaged, {"outbox"}).value(), 1);
  EXPECT_TRUE(messages().empty());
  std::ifstream aside(outbox() + ".damaged-" + std::to_string(clock_.now() / kSecond));
  std::string line;
  EXPECT_TRUE(std::getline(aside, line));
  EXPECT_EQ(line, std::string(10000, 'x'));
  take(2, false);
  EXPECT_EQ(messages(), (Messages{"hook alert.resolved pending"}));
  saved();
}

TEST_F(FindingHubTest, AnOutboxOfANewerDriftdIsLeftAlone) {
  start(config_of({"hook"}));
  hub_.reset();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(outbox().c_str(), &db), SQLITE_OK);
  sqlite3_exec(db, "PRAGMA user_version=3", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  const auto made = FindingHub::make({.findings_log = folder_.path() + "/findings.jsonl", .outbox = outbox(), .external_url = ""},
                                     config_of({"hook"}), "", telemetry_, clock_);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(made.error().message.find("newer version"), std::string::npos) << made.error().message;
}

// The messages that could not be put go into the new one, and checkpoints go on.
TEST_F(FindingHubTest, AnOutboxDamagedWhileItRunsIsMovedAside) {
  start(config_of({"hook"}));
  take(1, true);
  std::thread dispatcher([this] { hub_->dispatch(); });
  EXPECT_TRUE(wait([&] { return messages() == Messages{"hook alert.firing delivered"}; }));
  for (const char* suffix : {"", "-wal"}) {  // all but the header and the first page
    std::fstream file(outbox() + suffix, std::ios::in | std::ios::out | std::ios::binary | std::ios::ate);
    const auto size = static_cast<std::int64_t>(file.tellp()), keep = static_cast<std::int64_t>(*suffix == 0 ? 4096 : 32);
    file.seekp(keep);
    if (size > keep) file << std::string(static_cast<std::size_t>(size - keep), '\xa5');
  }
  take(2, false);
  EXPECT_TRUE(wait([&] { return telemetry_.series(Metric::kStoreDamaged, {"outbox"}).value() == 1; }));
  EXPECT_TRUE(wait([&] { return messages() == Messages{"hook alert.resolved delivered"}; }));
  saved();
  hub_->stop_dispatch();
  dispatcher.join();
}

// One that was halted for longer than its lease.
TEST_F(FindingHubTest, NobodyIsToldWhatMayBeOld) {
  std::atomic<bool> current{false};
  std::atomic<int> asked{0};
  current_ = [&] { return ++asked, current.load(); };
  start(config_of({"hook"}));
  take(1, true);
  std::thread dispatcher([this] { hub_->dispatch(); });
  EXPECT_TRUE(wait([&] { return asked > 3; }));
  EXPECT_EQ(messages(), (Messages{"hook alert.firing pending"}));
  current = true;
  EXPECT_TRUE(wait([&] { return messages() == Messages{"hook alert.firing delivered"}; }));
  current = false;
  hub_->stop_dispatch();
  dispatcher.join();
}

// From one driftd to another that shares the stream: told once that it fires and once that it is over.
TEST_F(FindingHubTest, AlertsOfAStreamGoToAnotherHubWithoutAWord) {
  start(config_of({"hook"}));
  take(1, true);
  const std::string stored = hub_->alerts_of("pumps");
  ingest::TempFolder folder;
  auto other =
      FindingHub::make({.findings_log = folder.path() + "/findings.jsonl", .outbox = folder.path() + "/outbox.db", .external_url = ""},
                       config_of({"hook"}), "", telemetry_, clock_);
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE((*other)->adopt(pumps_by_site(), stored).ok());
  hub_->drop("pumps", true);
  EXPECT_TRUE(hub_->alerts().empty());
  EXPECT_EQ((*other)->alerts().size(), 1U);
  EXPECT_EQ(messages(), (Messages{"hook alert.firing pending"}));
  ClosedWindow good;
  good.stream = "pumps";
  good.end = window_end(2);
  good.judged = {segment_id({"site", "a"})};
  (*other)->take(std::move(good));
  EXPECT_TRUE((*other)->alerts().empty());
  auto outbox_file = alerts::Outbox::open(folder.path() + "/outbox.db");
  const auto rows = (*outbox_file)->list(100, clock_.now());
  ASSERT_EQ(rows->size(), 1U) << "that it is over, and not again that it fires";
  EXPECT_EQ(rows->front().message.type, "alert.resolved");
  EXPECT_FALSE((*other)->adopt(pumps_by_site(), "x").ok());
}

// The keys of alert lines (replay --alerts, the API, webhooks) are a contract: docs/FORMATS.md.
TEST(AlertLine, HasTheKeysOfTheContractInOrder) {
  const auto keys = [](const Alert& alert) {
    std::string line;
    append_json(line, alert);
    std::vector<std::string> out;
    const auto json = nlohmann::ordered_json::parse(line);
    for (const auto& [key, value] : json.items()) out.push_back(key);
    return out;
  };
  using Keys = std::vector<std::string>;
  Alert alert = alerts::sample_alert();
  EXPECT_EQ(keys(alert), (Keys{"fingerprint", "stream", "segment", "kind", "severity", "state", "starts_at", "findings", "summary"}));
  alert = alerts::sample_alert("a", AlertState::kResolved);
  alert.check = "in_range";
  alert.field = "temperature";
  EXPECT_EQ(keys(alert), (Keys{"fingerprint", "stream", "segment", "kind", "field", "check", "severity", "state", "starts_at", "ends_at",
                               "findings", "summary"}));
}

TEST_F(FindingHubTest, AStateWithBytesLeftOverIsNone) {
  start(config_of({"hook"}));
  take(1, true);
  const std::string alerts = hub_->alerts_of("pumps");
  const std::string state = saved();
  EXPECT_TRUE(FindingHub::try_state(state).ok());
  EXPECT_FALSE(FindingHub::try_state(state + '\0').ok());
  std::string longer = state + '\0';  // the same within the length of the alerts
  ++longer[16];
  EXPECT_FALSE(FindingHub::try_state(longer).ok());
  EXPECT_TRUE(hub_->adopt(pumps_by_site(), alerts).ok());
  EXPECT_FALSE(hub_->adopt(pumps_by_site(), alerts + '\0').ok());
  EXPECT_TRUE(hub_->alerts().empty()) << "half of it is not believed";
}

}  // namespace
}  // namespace driftd::app
