// A service that was killed and whose checkpoints are damaged, against one that goes on undisturbed.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "alerts/outbox.h"
#include "app/run/service.h"
#include "app/run/service_api.h"
#include "core/sqlite_statement.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::app {
namespace {

namespace fs = std::filesystem;

constexpr Time kStart = 1700000000 * kSecond;
constexpr int kSensors = 64;

class ServiceRecoveryTest : public ::testing::Test {
 protected:
  static Config config_of(const std::string& data_dir) {
    ErrorList errors;
    Config config = read_config("service: {listen: 127.0.0.1:0, data_dir: " + data_dir +
                                    ", checkpoint_every: 1h, findings: {all: true}, limits: {journal: 2MiB}}\n"
                                    "streams:\n"
                                    "  plant:\n"
                                    "    from: {http: {}}\n"
                                    "    decode: {format: json, sensor: sensor, time: {field: ts, unit: ms}}\n"
                                    "    fields: {temperature: number}\n"
                                    "    windows: {size: 10s, lateness: 0s, idle: 1h, by: [stream, sensor]}\n"
                                    "    checks:\n"
                                    "      - {check: count, min: 0, max: 1000000, by: [stream]}\n"
                                    "      - {check: in_range, field: temperature, min: 0, max: 50, by: [stream]}\n"
                                    "      - {check: rate_of_change, field: temperature, max: 7, by: [sensor]}\n"
                                    "alerts: {for: 1, notifiers: {log: {type: log}}}\n",
                                "", errors);
    EXPECT_TRUE(errors.empty()) << format_errors("yaml", errors);
    return config;
  }

  // A driftd with a data directory of its own.
  struct Running {
    explicit Running(std::string data_dir) : dir(std::move(data_dir)), service(std::make_unique<Service>(config_of(dir), "")) {
      const Status started = service->start();
      EXPECT_TRUE(started.ok()) << (started.ok() ? "" : started.error().message);
      api = std::make_unique<ServiceApi>(*service);
    }
    // Seconds [from, to) of all sensors; every third window has readings that are out of range.
    void send(int from, int to) {
      const auto taken = [&] { return service->stream_status().at(0).accepted >= sent && undelivered() == 0; };
      for (int second = from; second < to; ++second) {
        // The polling thread shows a checkpoint's positions to the source between two batches.
        if (second == to - 1) wait(taken, "all but the last taken");
        std::string body;
        for (int s = 0; s < kSensors; ++s) {
          const int value = second / 10 % 3 == 1 && s == 5 ? 90 : 20 + (second * 7 + s) % 9;
          body += "{\"sensor\":\"p" + std::to_string(s) + "\",\"ts\":" + std::to_string((kStart + second * kSecond) / kMillisecond) +
                  ",\"temperature\":" + std::to_string(value) + "}\n";
        }
        exporters::Submission answer;
        do {
          answer = api->submit("plant", body, "application/x-ndjson");
        } while (answer.result != exporters::Submission::Result::kAccepted && pause());
        sent += kSensors;
      }
      wait(taken, "all records taken");
    }
    double fallbacks(const char* to) { return service->telemetry().series(Metric::kCheckpointFallbacks, {to}).value(); }
    double undelivered() const { return static_cast<double>(messages("pending").size()); }
    // "id state", ordered.
    std::vector<std::string> messages(const std::string& only = "") const {
      std::vector<std::string> out;
      const auto outbox = alerts::Outbox::open(dir + "/outbox.db");
      const auto rows = (*outbox)->list(10000, SystemClock().now());
      for (const alerts::OutboxRow& row : *rows) {
        if (only.empty() || to_string(row.state) == only) out.push_back(row.message.id + " " + row.message.type);
      }
      std::sort(out.begin(), out.end());
      return out;
    }
    std::string alerts() const {
      std::string out;
      for (const Alert& alert : api->alerts()) append_json(out, alert);
      return out;
    }
    std::string findings() const { return text_of(dir + "/findings.jsonl"); }

    std::string dir;
    std::unique_ptr<Service> service;
    std::unique_ptr<ServiceApi> api;
    std::uint64_t sent = 0;
  };

  static bool pause(int milliseconds = 5) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return true;
  }
  static void wait(const std::function<bool()>& probe, const char* what) {
    const Deadline deadline = Deadline::after(60 * kSecond);
    while (!probe()) {
      ASSERT_FALSE(deadline.passed()) << what;
      pause(10);
    }
  }
  static std::string text_of(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  // A run with two checkpoints and records behind them; what a kill would leave then is in image().
  void run() {
    calm_ = std::make_unique<Running>(folder_.path() + "/calm");
    calm_->send(0, 55);
    ASSERT_TRUE(calm_->service->checkpoint());
    calm_->send(55, 95);
    ASSERT_TRUE(calm_->service->checkpoint());
    calm_->send(95, 135);
    fs::copy(calm_->dir, image(), fs::copy_options::recursive);
    calm_->send(135, 200);
    wait([&] { return windows(calm_->findings()) == 19; }, "the calm run's windows");
  }
  std::string image() const { return folder_.path() + "/image"; }
  // A copy of it, to be damaged.
  std::string killed() {
    const std::string dir = folder_.path() + "/killed" + std::to_string(++copies_);
    fs::copy(image(), dir, fs::copy_options::recursive);
    return dir;
  }
  // Where two texts part; empty: nowhere.
  static std::string difference(const std::string& a, const std::string& b) {
    std::istringstream left(a), right(b);
    std::string x, y;
    for (int n = 1;; ++n) {
      const bool more = static_cast<bool>(std::getline(left, x));
      if (more != static_cast<bool>(std::getline(right, y))) return "one ends before line " + std::to_string(n);
      if (!more) return "";
      if (x != y) return "line " + std::to_string(n) + ": " + x + " and " + y;
    }
  }
  static std::size_t segments(const std::string& dir) {
    std::size_t n = 0;
    for (const auto& entry : fs::directory_iterator(dir + "/streams/plant/journal")) n += entry.is_regular_file() ? 1 : 0;
    return n;
  }
  static int windows(const std::string& findings) {
    int n = 0;
    std::istringstream in(findings);
    for (std::string line; std::getline(in, line);) n += nlohmann::json::parse(line)["check"] == "count" ? 1 : 0;
    return n;
  }
  static void execute(const std::string& dir, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((dir + "/state.db").c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db) << sql;
    EXPECT_GT(sqlite3_changes(db), 0) << sql;
    sqlite3_close(db);
  }
  // Turns one bit of a blob over.
  static void flip(const std::string& dir, const std::string& table, const std::string& column, const std::string& where) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((dir + "/state.db").c_str(), &db), SQLITE_OK);
    {
      Statement read(db, ("SELECT " + column + " FROM " + table + " WHERE " + where).c_str());
      ASSERT_TRUE(read.step().ok());
      std::string bytes = read.text(0);
      ASSERT_GT(bytes.size(), 30U);
      bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
      read.reset();
      Statement write(db, ("UPDATE " + table + " SET " + column + "=? WHERE " + where).c_str());
      ASSERT_TRUE(write.bind_blob(bytes).run().ok());
    }
    sqlite3_close(db);
  }
  static constexpr const char* kNewest = "(SELECT max(number) FROM generation)";
  static std::string unit_of(int partition) { return "generation=" + std::string(kNewest) + " AND partition=" + std::to_string(partition); }
  static std::string state_of(int partition) { return "id=(SELECT state FROM unit WHERE " + unit_of(partition) + ")"; }

  // Goes on in `dir` to the end of the records.
  std::unique_ptr<Running> go_on(const std::string& dir) {
    auto again = std::make_unique<Running>(dir);
    wait([&] { return again->service->stream_status().at(0).lag.value_or(1) == 0; }, "the journal read");
    again->send(135, 200);
    return again;
  }
  void expect_undisturbed(const std::string& dir, const std::string& what, const char* fallback) {
    SCOPED_TRACE(what);
    auto again = go_on(dir);
    wait([&] { return again->findings().size() >= calm_->findings().size(); }, "the same findings");
    wait([&] { return again->undelivered() == 0; }, "messages");
    EXPECT_EQ(difference(again->findings(), calm_->findings()), "");
    EXPECT_EQ(again->messages(), calm_->messages());
    EXPECT_EQ(again->alerts(), calm_->alerts());
    for (const char* to : {"previous", "partial", "nothing"}) {
      EXPECT_EQ(again->fallbacks(to), fallback != nullptr && std::string_view(to) == fallback ? 1 : 0) << to;
    }
  }

  ingest::TempFolder folder_;
  std::unique_ptr<Running> calm_;
  int copies_ = 0;
};

TEST_F(ServiceRecoveryTest, FallsBackAsOneAndGoesOnExactly) {
  run();
  ASSERT_GT(calm_->messages().size(), 4U);
  expect_undisturbed(killed(), "no damage", nullptr);
  const std::vector<std::pair<std::string, std::function<void(const std::string&)>>> damages = {
      {"a bit of a unit", [](const std::string& dir) { flip(dir, "state", "bytes", state_of(3)); }},
      {"a unit's checksum", [](const std::string& dir) { execute(dir, "UPDATE unit SET crc=crc+1 WHERE " + unit_of(3)); }},
      {"a unit's position", [](const std::string& dir) { execute(dir, "UPDATE unit SET position=position+1 WHERE " + unit_of(3)); }},
      {"a bit of the merger", [](const std::string& dir) { flip(dir, "state", "bytes", state_of(-1)); }},
      {"the merger's checksum", [](const std::string& dir) { execute(dir, "UPDATE unit SET crc=crc+1 WHERE " + unit_of(-1)); }},
      {"a bit of the hub", [](const std::string& dir) { flip(dir, "generation", "hub", "number=" + std::string(kNewest)); }},
      {"the hub's checksum",
       [](const std::string& dir) { execute(dir, "UPDATE generation SET crc=crc+1 WHERE number=" + std::string(kNewest)); }},
      {"a unit that is gone", [](const std::string& dir) { execute(dir, "DELETE FROM unit WHERE " + unit_of(3)); }},
      {"a state that does not load",
       [](const std::string& dir) {
         // Checksums are right, as if a faulty driftd had written it.
         auto store = SqliteStore::open(dir + "/state.db");
         auto unit = (*store)->unit("plant", 3);
         (*unit)->state.resize(60);
         ASSERT_TRUE((*store)->put({{**unit}, *(*store)->hub((*store)->generations()->front().number), 5}).ok());
       }},
  };
  for (const auto& [what, damage] : damages) {
    const std::string dir = killed();
    damage(dir);
    expect_undisturbed(dir, what, "previous");
  }
}

// The journal has given up nothing that the checkpoint before the newest needs.
TEST_F(ServiceRecoveryTest, TheJournalReachesBackToTheCheckpointBefore) {
  run();
  ASSERT_GT(segments(image()), 2U) << "those with what came behind the first checkpoint, and after the second";
  const std::string dir = killed();
  flip(dir, "state", "bytes", state_of(3));
  expect_undisturbed(dir, "a bit of a unit", "previous");
  for (int n = 0; n < 2; ++n) ASSERT_TRUE(calm_->service->checkpoint());
  wait([&] { return segments(calm_->dir) == 1; }, "segments that both are past");
}

// And again: the one that was fallen back to is kept until there are two newer ones.
TEST_F(ServiceRecoveryTest, FallsBackAgainAfterTheNextCheckpoint) {
  run();
  const std::string dir = killed();
  flip(dir, "state", "bytes", state_of(3));
  {
    auto again = std::make_unique<Running>(dir);
    wait([&] { return again->service->stream_status().at(0).lag.value_or(1) == 0; }, "the journal read");
    ASSERT_TRUE(again->service->checkpoint());
    fs::copy(dir, folder_.path() + "/twice", fs::copy_options::recursive);
  }
  flip(folder_.path() + "/twice", "state", "bytes", state_of(3));
  expect_undisturbed(folder_.path() + "/twice", "again", "previous");
}

TEST_F(ServiceRecoveryTest, StartsWhenNoCheckpointIsWhole) {
  run();
  const std::size_t before = text_of(image() + "/findings.jsonl").size();
  const auto verdicts = [](const std::string& findings, const char* reason) {
    int n = 0;
    std::istringstream in(findings);
    for (std::string line; std::getline(in, line) && !in.eof();) {  // without its end it is being written
      const auto finding = nlohmann::json::parse(line);
      n += finding["check"] == "count" && finding.value("reason", "") == reason ? 1 : 0;
    }
    return n;
  };
  for (const char* damage : {"UPDATE unit SET crc=crc+1 WHERE partition=3", "UPDATE unit SET crc=crc+1 WHERE partition=-1"}) {
    const std::string dir = killed();
    execute(dir, damage);
    auto again = go_on(dir);
    EXPECT_EQ(again->fallbacks("partial"), 1) << damage;
    // From the newest one's positions: the window that was open there is not whole, the others are.
    wait([&] { return windows(again->findings()) == 19; }, "19 windows");
    EXPECT_EQ(verdicts(again->findings(), "warming_up"), 1) << damage;
    EXPECT_TRUE(again->service->not_ready().empty());
  }
  const std::string dir = killed();
  execute(dir, "UPDATE generation SET crc=crc+1");
  auto again = go_on(dir);
  EXPECT_EQ(again->fallbacks("partial"), 1);
  EXPECT_GT(again->findings().size(), before) << "the findings log is not cut";
  EXPECT_EQ(again->findings().substr(0, before), text_of(image() + "/findings.jsonl"));
}

TEST_F(ServiceRecoveryTest, AStoreThatIsNoDatabaseIsMovedAside) {
  run();
  const std::string dir = killed();
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(dir + "/state.db" + suffix);
  std::ofstream(dir + "/state.db") << std::string(100000, 'x');
  {
    auto again = go_on(dir);
    EXPECT_EQ(again->fallbacks("nothing"), 1);
    EXPECT_TRUE(again->service->not_ready().empty());
    EXPECT_GE(windows(again->findings()), 19);
    const auto log = text_of(image() + "/findings.jsonl");
    EXPECT_EQ(again->findings().substr(0, log.size()), log) << "findings of before stay";
  }
  int aside = 0;
  for (const auto& entry : fs::directory_iterator(dir)) aside += entry.path().filename().string().starts_with("state.db.damaged-") ? 1 : 0;
  EXPECT_EQ(aside, 1);
  Running(dir).service->stop();
}

// As one that is killed, or finds the disk full, before its first checkpoint in the new file.
TEST_F(ServiceRecoveryTest, AStoreThatWasBegunAnewIsNotThatOfAFirstStart) {
  run();
  const auto log = text_of(image() + "/findings.jsonl");
  const std::string dir = killed();
  ASSERT_TRUE(SqliteStore::begin_anew(dir + "/state.db", 5 * kSecond).ok());
  auto again = go_on(dir);
  EXPECT_EQ(again->fallbacks("partial"), 1);
  EXPECT_EQ(again->findings().substr(0, log.size()), log) << "findings of before stay";
}

// Whatever page of the file is damaged: driftd starts, and says so unless the page was not in use.
TEST_F(ServiceRecoveryTest, StartsWithADamageAnywhereInTheFile) {
  run();
  const std::string whole = killed();
  execute(whole, "UPDATE meta SET value=value");
  {  // all of it in one file
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((whole + "/state.db").c_str(), &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
    sqlite3_close(db);
  }
  const auto size = fs::file_size(whole + "/state.db");
  int said = 0;
  for (std::uintmax_t at = 10; at < size; at += size / 9) {
    const std::string dir = folder_.path() + "/page" + std::to_string(at);
    fs::copy(whole, dir, fs::copy_options::recursive);
    std::fstream file(dir + "/state.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file << std::string(1000, '\xa5');
    file.close();
    Running again(dir);
    EXPECT_TRUE(again.service->not_ready().empty()) << at;
    for (const char* to : {"previous", "partial", "nothing"}) said += again.fallbacks(to) > 0 ? 1 : 0;
    for (int n = 0; n < 3; ++n) EXPECT_TRUE(again.service->checkpoint()) << "and the store can be used, " << at;
  }
  EXPECT_GT(said, 1);
}

}  // namespace
}  // namespace driftd::app
