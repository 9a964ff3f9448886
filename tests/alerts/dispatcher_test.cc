#include "alerts/dispatcher.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <functional>

#include "samples.h"

namespace driftd::alerts {
namespace {

using R = Delivery::Result;
constexpr Time kStart = kDay0 + kHour;

struct Script {
  std::vector<Message> sent;
  Delivery answer;
  std::function<void()> on_send;
  Duration resend = 0;
  std::optional<Duration> cooldown;
};

class Scripted final : public Notifier {
 public:
  explicit Scripted(Script& script) : script_(script) {}
  Delivery send(const Message& message, Deadline /*deadline*/) override {
    script_.sent.push_back(message);
    if (script_.on_send) script_.on_send();
    return script_.answer;
  }
  Duration resend_every() const override { return script_.resend; }
  std::optional<Duration> retrain_cooldown() const override { return script_.cooldown; }

 private:
  Script& script_;
};

class DispatcherTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    path_ = testing::TempDir() + "dispatch_" + info->name() + "_" + std::to_string(getpid()) + ".db";
    TearDown();
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db_), SQLITE_OK);
    train_.cooldown = kDay;
    am_.resend = kMinute;
    start();
  }
  void TearDown() override {
    dispatcher_.reset();
    outbox_.reset();
    sqlite3_close(db_);
    db_ = nullptr;
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  }
  // As after a restart: only the file is kept.
  void start() {
    dispatcher_.reset();
    auto opened = Outbox::open(path_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    outbox_ = std::move(opened).value();
    make_dispatcher();
  }
  void make_dispatcher() {
    std::vector<Receiver> receivers;
    std::vector<ReceiverInfo> infos;
    for (auto& [name, script] : std::map<std::string, Script*>{{"am", &am_}, {"hook", &hook_}, {"other", &other_}, {"train", &train_}}) {
      receivers.push_back({name, std::make_unique<Scripted>(*script)});
      infos.push_back({name, takes(*receivers.back().notifier)});
    }
    dispatcher_ = std::make_unique<Dispatcher>(*outbox_, std::move(receivers), Router({}, {"stream"}, infos), clock_, telemetry_,
                                               Dispatcher::kDefaultTimeout, stop_);
  }
  void put(const std::vector<Outgoing>& messages) { ASSERT_TRUE(Outbox::put(db_, messages, clock_.now(), telemetry_).ok()); }
  double count(Metric metric, const std::vector<std::string>& labels) { return telemetry_.series(metric, labels).value(); }
  void firing(const std::vector<std::string>& sites) {
    std::vector<ActiveAlert> active;
    for (const std::string& site : sites) active.push_back({sample_alert(site), {1, {}}});
    dispatcher_->set_active(active);
  }
  // Runs at each wake-up until `end`.
  void run_until(Time end) {
    for (Time next = dispatcher_->run_once(); next <= end; next = dispatcher_->run_once()) {
      clock_.set(std::max(next, clock_.now() + kMillisecond));
    }
    clock_.set(end);
  }

  std::string path_;
  sqlite3* db_ = nullptr;
  std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  ManualClock clock_{kStart};
  Telemetry telemetry_;
  Script am_, hook_, other_, train_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, CountersAreThereFromZero) {
  std::map<Metric, std::set<std::vector<std::string>>> seen;
  for (const auto& family : telemetry_.snapshot()) {
    for (const auto& sample : family.samples) {
      EXPECT_FALSE(sample.overflow);
      seen[family.metric].insert(sample.label_values);
    }
  }
  EXPECT_EQ(seen[Metric::kNotifications].size(), 4U * 4U);
  EXPECT_EQ(seen[Metric::kNotifications].count({"am", "rejected"}), 1U);
  EXPECT_EQ(seen[Metric::kRetrainRequests],
            (std::set<std::vector<std::string>>{{"train", "cooldown"}, {"train", "rejected"}, {"train", "sent"}}));
  EXPECT_EQ(seen[Metric::kOutboxDropped], (std::set<std::vector<std::string>>{{"attempts"}, {"full"}, {"gone"}, {"rejected"}}));
}

// A receiver that hangs delays the end of the run, which counts what waits.
TEST_F(DispatcherTest, WhatIsPutCountsAsPendingAtOnce) {
  put({outgoing("1"), outgoing("2")});
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 2);
  put({outgoing("2"), outgoing("3", "other")});
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 3);
  dispatcher_->run_once();
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 0);
}

TEST_F(DispatcherTest, DeliversEachMessageOnce) {
  put({outgoing("1"), outgoing("2"), outgoing("3", "other")});
  dispatcher_->run_once();
  dispatcher_->run_once();
  ASSERT_EQ(hook_.sent.size(), 2U);
  EXPECT_EQ(hook_.sent[0].id, "1");
  EXPECT_EQ(hook_.sent[0].attempt, 1U);
  EXPECT_EQ(other_.sent.size(), 1U);
  EXPECT_EQ(count(Metric::kNotifications, {"hook", "delivered"}), 2);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 0);
  start();
  put({outgoing("1")});
  dispatcher_->run_once();
  EXPECT_EQ(hook_.sent.size(), 2U) << "not again after a restart";
}

TEST_F(DispatcherTest, RetriesUnderTheSameIdUntilItIsTaken) {
  hook_.answer = {R::kRetry, 0, "HTTP 503"};
  put({outgoing("1")});
  run_until(kStart + 10 * kSecond);
  const std::size_t tries = hook_.sent.size();
  EXPECT_EQ(tries, 2U) << "at once and after 5 s";
  EXPECT_EQ(hook_.sent[1].attempt, 2U);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 1);
  start();
  hook_.answer = {};
  run_until(kStart + 10 * kMinute);
  ASSERT_EQ(hook_.sent.size(), 3U);
  EXPECT_EQ(hook_.sent[2].id, "1");
  EXPECT_EQ(hook_.sent[2].created_at, kStart);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 0);
}

TEST_F(DispatcherTest, GivesUpAfterThirteenAttemptsInAboutThreeDays) {
  hook_.answer = {R::kRetry, 0, "HTTP 503"};
  put({outgoing("1")});
  run_until(kStart + 5 * kDay);
  EXPECT_EQ(hook_.sent.size(), 13U);
  EXPECT_EQ(count(Metric::kOutboxDropped, {"attempts"}), 1);
  EXPECT_EQ(count(Metric::kNotifications, {"hook", "retry"}), 13);
}

TEST_F(DispatcherTest, AClockThatJumpsAheadTakesNoAttemptAway) {
  hook_.answer = am_.answer = {R::kRetry, 0, "HTTP 503"};
  put({outgoing("1"), outgoing("2", "am", "alert.resolved")});
  run_until(kStart + kMinute);
  const std::size_t tries = hook_.sent.size();
  clock_.set(clock_.now() + 6 * kDay);
  dispatcher_->run_once();
  EXPECT_EQ(hook_.sent.size(), tries + 1);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 2);
  clock_.set(clock_.now() + 6 * kDay);
  dispatcher_->run_once();
  EXPECT_EQ(hook_.sent.size(), tries + 2);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 2);
  hook_.answer = am_.answer = {};
  run_until(clock_.now() + kHour);
  EXPECT_EQ(hook_.sent.size(), tries + 3);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 0);
}

TEST_F(DispatcherTest, WhatWaitsWhileDriftdIsAwayIsTriedWhenItIsBack) {
  put({ungrouped("1"), outgoing("2", "am", "alert.resolved"), ungrouped("3")});
  clock_.set(clock_.now() + 60 * kDay);
  start();
  hook_.answer = {R::kRetry, 0, "HTTP 503"};
  dispatcher_->run_once();
  EXPECT_EQ(am_.sent.size(), 1U);
  hook_.answer = {};
  run_until(clock_.now() + kMinute);
  ASSERT_EQ(hook_.sent.size(), 3U) << "one twice, the other for the first time";
  EXPECT_EQ(hook_.sent[2].attempt, 2U);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 0);
}

TEST_F(DispatcherTest, AGroupGoesInItsOrderInOneRun) {
  put({outgoing("z"), outgoing("a", "hook", "alert.resolved"), outgoing("m")});
  dispatcher_->run_once();
  ASSERT_EQ(hook_.sent.size(), 3U);
  EXPECT_EQ(hook_.sent[0].id + hook_.sent[1].id + hook_.sent[2].id, "zam");
}

// A full disk: reading goes on.
TEST_F(DispatcherTest, WhatTheOutboxDoesNotTakeDownIsNotSentAgainMeanwhile) {
  put({outgoing("1"), ungrouped("2"), ungrouped("3", "other")});
  ASSERT_EQ(sqlite3_exec(db_, "CREATE TRIGGER no BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END", nullptr, nullptr, nullptr),
            SQLITE_OK);
  run_until(kStart + 10 * kMinute);
  EXPECT_EQ(hook_.sent.size(), 1U);
  EXPECT_EQ(other_.sent.size(), 1U) << "each receiver for itself";
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 3);
  ASSERT_EQ(sqlite3_exec(db_, "DROP TRIGGER no", nullptr, nullptr, nullptr), SQLITE_OK);
  run_until(clock_.now() + kMinute);
  ASSERT_EQ(hook_.sent.size(), 2U);
  EXPECT_EQ(hook_.sent[1].id, "2");
  EXPECT_EQ(other_.sent.size(), 1U);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 0);
}

// As with a reload meanwhile.
TEST_F(DispatcherTest, NorByTheOneThatTakesItsPlace) {
  put({outgoing("1"), ungrouped("2")});
  ASSERT_EQ(sqlite3_exec(db_, "CREATE TRIGGER no BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END", nullptr, nullptr, nullptr),
            SQLITE_OK);
  run_until(kStart + kMinute);
  ASSERT_EQ(hook_.sent.size(), 1U);
  const auto before = std::move(dispatcher_);
  make_dispatcher();
  dispatcher_->take_over(*before);
  run_until(kStart + 10 * kMinute);
  EXPECT_EQ(hook_.sent.size(), 1U);
  ASSERT_EQ(sqlite3_exec(db_, "DROP TRIGGER no", nullptr, nullptr, nullptr), SQLITE_OK);
  run_until(clock_.now() + kMinute);
  ASSERT_EQ(hook_.sent.size(), 2U);
  EXPECT_EQ(hook_.sent[1].id, "2");
}

TEST_F(DispatcherTest, OneThatFailsDoesNotHoldTheOthersNorGetHammered) {
  hook_.answer = {R::kRetry, 0, "timed out"};
  std::vector<Outgoing> messages;
  for (int i = 0; i < 20; ++i) messages.push_back(ungrouped("h" + std::to_string(i)));
  for (int i = 0; i < 20; ++i) messages.push_back(ungrouped("o" + std::to_string(i), "other"));
  put(messages);
  Time next = dispatcher_->run_once();
  EXPECT_EQ(hook_.sent.size(), 1U) << "its others wait";
  EXPECT_EQ(other_.sent.size(), 16U);
  EXPECT_LE(next, clock_.now()) << "more is due";
  next = dispatcher_->run_once();
  EXPECT_EQ(hook_.sent.size(), 1U);
  EXPECT_EQ(other_.sent.size(), 20U);
  EXPECT_EQ(next, kStart + 5 * kSecond);
  run_until(kStart + kHour);
  // Pauses double from 5 s to 5 min, so an hour has about 17 attempts, not 20 each time.
  EXPECT_GT(hook_.sent.size(), 10U);
  EXPECT_LT(hook_.sent.size(), 25U);
}

TEST_F(DispatcherTest, ObeysRetryAfter) {
  hook_.answer = {R::kRetry, kHour, "HTTP 429"};
  put({outgoing("1"), outgoing("2")});
  run_until(kStart + kHour - 1);
  EXPECT_EQ(hook_.sent.size(), 1U);
  hook_.answer = {};
  run_until(kStart + kHour + kMinute);
  EXPECT_EQ(hook_.sent.size(), 3U);
}

TEST_F(DispatcherTest, AClockThatIsTurnedBackDelaysNothing) {
  hook_.answer = {R::kRetry, kHour, "HTTP 429"};
  put({outgoing("1")});
  firing({"a"});
  run_until(kStart + kMinute / 2);
  EXPECT_EQ(hook_.sent.size(), 1U);
  const std::size_t told = am_.sent.size();
  for (const Duration by : {kDay, kHour, 10 * kSecond}) {
    hook_.answer = {R::kRetry, kHour, "HTTP 429"};
    const std::size_t before = hook_.sent.size();
    clock_.set(clock_.now() - by);
    dispatcher_->run_once();
    EXPECT_EQ(hook_.sent.size(), before + 1) << format_duration(by);
    dispatcher_->run_once();
    EXPECT_EQ(hook_.sent.size(), before + 1) << "once, not again and again";
  }
  EXPECT_GE(am_.sent.size(), told + 3) << "what fires is told again";
  // Also when it was turned while driftd was away.
  clock_.set(clock_.now() - kDay);
  hook_.answer = {};
  start();
  const std::size_t before = hook_.sent.size();
  dispatcher_->run_once();
  EXPECT_EQ(hook_.sent.size(), before + 1);
}

TEST_F(DispatcherTest, RefusedMessagesEndAndTheNextOnePasses) {
  hook_.answer = {R::kRejected, 0, "HTTP 400"};
  put({outgoing("1"), outgoing("2")});
  run_until(kStart + kHour);
  EXPECT_EQ(hook_.sent.size(), 2U);
  EXPECT_EQ(count(Metric::kOutboxDropped, {"rejected"}), 2);
}

TEST_F(DispatcherTest, GoneEndsAllSendingUntilARestart) {
  hook_.answer = {R::kGone, 0, "HTTP 410"};
  put({outgoing("1"), outgoing("2"), outgoing("3")});
  run_until(kStart + kHour);
  EXPECT_EQ(hook_.sent.size(), 1U);
  EXPECT_EQ(count(Metric::kOutboxDropped, {"gone"}), 3);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 0);
  hook_.answer = {};
  start();
  put({outgoing("4")});
  dispatcher_->run_once();
  EXPECT_EQ(hook_.sent.size(), 2U);
}

TEST_F(DispatcherTest, AskForRetrainingOnceACooldown) {
  const auto ask = [&](const std::string& id, const std::string& site) {
    put({outgoing(id, "train", "retrain.requested", site)});
    dispatcher_->run_once();
  };
  train_.answer = {R::kRetry, 0, "HTTP 500"};
  ask("1", "a");
  EXPECT_EQ(train_.sent.size(), 1U);
  train_.answer = {};
  run_until(kStart + kMinute);
  EXPECT_EQ(train_.sent.size(), 2U) << "a failed attempt starts no cooldown";
  ask("2", "a");
  EXPECT_EQ(train_.sent.size(), 2U);
  ask("3", "b");
  EXPECT_EQ(train_.sent.size(), 3U) << "another segment has its own";
  EXPECT_EQ(count(Metric::kRetrainRequests, {"train", "cooldown"}), 1);
  EXPECT_EQ(count(Metric::kRetrainRequests, {"train", "sent"}), 2);
  start();
  clock_.advance(23 * kHour);
  ask("4", "a");
  EXPECT_EQ(train_.sent.size(), 3U) << "survives a restart";
  clock_.advance(-24 * kHour + kMinute);
  ask("5", "a");
  EXPECT_EQ(train_.sent.size(), 3U) << "a clock turned back a little";
  clock_.set(kStart + kMinute + kDay);
  ask("6", "a");
  EXPECT_EQ(train_.sent.size(), 4U);
  run_until(clock_.now() + kHour);
  EXPECT_EQ(train_.sent.size(), 4U) << "what was in the cooldown is not sent later";
}

TEST_F(DispatcherTest, StateIsToldAtOnceAndAgain) {
  firing({"a"});
  dispatcher_->run_once();
  ASSERT_EQ(am_.sent.size(), 1U);
  EXPECT_EQ(am_.sent[0].type, "alert.firing");
  EXPECT_TRUE(hook_.sent.empty()) << "only to who wants state";
  firing({"a"});
  EXPECT_EQ(dispatcher_->run_once(), kStart + kMinute);
  EXPECT_EQ(am_.sent.size(), 1U) << "nothing new";
  firing({"a", "b"});
  EXPECT_LE(dispatcher_->run_once(), kStart + kMinute);
  ASSERT_EQ(am_.sent.size(), 2U) << "a new one does not wait";
  EXPECT_EQ(am_.sent[1].alerts.size(), 2U);
  run_until(kStart + 5 * kMinute - 1);
  EXPECT_EQ(am_.sent.size(), 6U) << "every minute";
  firing({});
  run_until(kStart + 10 * kMinute);
  EXPECT_EQ(am_.sent.size(), 6U);
}

TEST_F(DispatcherTest, EndsAreToldForFiveMinutes) {
  put({outgoing("1", "am", "alert.resolved")});
  run_until(kStart + kHour);
  EXPECT_GE(am_.sent.size(), 5U);
  EXPECT_LE(am_.sent.size(), 6U);
  for (const Message& m : am_.sent) {
    EXPECT_EQ(m.type, "alert.resolved");
    EXPECT_EQ(m.created_at, kStart);
  }
}

TEST_F(DispatcherTest, EndsWaitForAReceiverThatIsDownHoweverLong) {
  am_.answer = {R::kRetry, 0, "connection refused"};
  put({outgoing("1", "am", "alert.resolved")});
  run_until(kStart + kDay);
  EXPECT_GT(am_.sent.size(), 200U) << "state is tried at every pause, not on the messages' schedule";
  am_.sent.clear();
  am_.answer = {};
  start();
  run_until(kStart + kDay + kMinute / 2);
  EXPECT_EQ(am_.sent.size(), 1U);
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 0);
}

TEST_F(DispatcherTest, AnEndDoesNotEndWhatFiresAgain) {
  put({outgoing("1", "am", "alert.resolved", "a"), outgoing("2", "am", "alert.resolved", "b")});
  Alert again = sample_alert("a");
  again.starts_at = kDay0 + 6 * kWindow;
  dispatcher_->set_active({{again, {1, {}}}});
  run_until(kStart + 10 * kMinute);
  ASSERT_FALSE(am_.sent.empty());
  for (const Message& m : am_.sent) {
    for (const Alert& a : m.alerts) {
      EXPECT_EQ(a.state == AlertState::kResolved, a.segment.value == "b");
    }
  }
  EXPECT_EQ(count(Metric::kOutboxPending, {}), 0);
}

// The end is put by the thread that judges, set_active() comes later.
TEST_F(DispatcherTest, AnEndIsToldThoughItsAlertIsStillKnownAsFiring) {
  firing({"a"});
  dispatcher_->run_once();
  put({outgoing("1", "am", "alert.resolved", "a")});
  clock_.advance(kMinute);
  dispatcher_->run_once();
  ASSERT_EQ(am_.sent.size(), 2U) << "not as firing once more";
  EXPECT_EQ(am_.sent[1].alerts.at(0).state, AlertState::kResolved);
}

// After a crash the alerts are those of the newest checkpoint, which does not know the end yet.
TEST_F(DispatcherTest, WhatIsOverDoesNotFireAgainAfterARestart) {
  firing({"a", "b"});
  dispatcher_->run_once();
  firing({"b"});
  put({outgoing("1", "am", "alert.resolved", "a")});
  dispatcher_->run_once();
  start();
  am_.sent.clear();
  firing({"a", "b"});
  run_until(kStart + 10 * kMinute);
  for (const Message& m : am_.sent) {
    for (const Alert& a : m.alerts) EXPECT_EQ(a.state == AlertState::kResolved, a.segment.value == "a");
  }
  am_.sent.clear();
  Alert again = sample_alert("a");
  again.starts_at = kDay0 + 6 * kWindow;
  dispatcher_->set_active({{again, {1, {}}}});
  dispatcher_->run_once();
  ASSERT_EQ(am_.sent.size(), 1U);
  EXPECT_EQ(am_.sent[0].alerts.size(), 1U) << "a later start is another alert";
}

TEST_F(DispatcherTest, ManyActiveAlertsGoInParts) {
  std::vector<std::string> sites;
  for (int i = 0; i < 450; ++i) sites.push_back(std::to_string(i));
  firing(sites);
  dispatcher_->run_once();
  ASSERT_EQ(am_.sent.size(), 3U);
  EXPECT_EQ(am_.sent[0].alerts.size() + am_.sent[1].alerts.size() + am_.sent[2].alerts.size(), 450U);
}

TEST_F(DispatcherTest, AStoreThatFailsIsNoBusyLoop) {
  put({outgoing("1")});
  sqlite3_exec(db_, "DROP TABLE outbox", nullptr, nullptr, nullptr);
  EXPECT_GE(dispatcher_->run_once(), kStart + 5 * kSecond);
  EXPECT_TRUE(hook_.sent.empty());
}

// The first receiver hangs until the flag ends its call: nothing is sent to those behind it, nothing counts as
// an attempt, and the next dispatcher begins where this one ended.
TEST_F(DispatcherTest, TheStopFlagEndsARunWithoutATrace) {
  put({outgoing("1"), outgoing("2"), outgoing("3", "other"), outgoing("4", "am", "alert.resolved")});
  firing({"a", "b"});
  am_.answer = hook_.answer = {R::kRetry, 0, "given up"};
  am_.on_send = [this] { *stop_ = true; };
  dispatcher_->run_once();
  EXPECT_EQ(am_.sent.size(), 1U);
  EXPECT_TRUE(hook_.sent.empty());
  EXPECT_TRUE(other_.sent.empty());
  EXPECT_EQ(count(Metric::kNotifications, {"am", "retry"}), 0);
  am_.on_send = {};
  *stop_ = false;
  hook_.on_send = [this] { *stop_ = true; };
  start();
  dispatcher_->run_once();
  EXPECT_EQ(hook_.sent.size(), 1U) << "not its second message";
  *stop_ = false;
  hook_.on_send = {};
  hook_.answer = {};
  start();
  dispatcher_->run_once();
  ASSERT_EQ(hook_.sent.size(), 3U);
  EXPECT_EQ(hook_.sent[1].id, hook_.sent[0].id);
  EXPECT_EQ(hook_.sent[1].attempt, 1U);
  EXPECT_EQ(other_.sent.size(), 1U);
}

TEST_F(DispatcherTest, WhatWasDeliveredCountsThoughTheStopFlagIsSet) {
  put({outgoing("1"), outgoing("2")});
  hook_.on_send = [this] { *stop_ = true; };
  dispatcher_->run_once();
  *stop_ = false;
  start();
  dispatcher_->run_once();
  ASSERT_EQ(hook_.sent.size(), 2U);
  EXPECT_NE(hook_.sent[0].id, hook_.sent[1].id);
}

}  // namespace
}  // namespace driftd::alerts
