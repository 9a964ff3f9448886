// A whole service whose disk takes its time with a checkpoint.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "app/run/service.h"
#include "tests/disk.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::app {
namespace {

bool soon(const std::function<bool()>& probe) {
  for (const Deadline deadline = Deadline::after(30 * kSecond); !probe();) {
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

TEST(CheckpointBesideStreams, StreamsGoOnWhileItIsStored) {
  const ingest::TempFolder folder;
  const std::string data_dir = folder.path() + "/data";
  const std::string yaml = "service: {listen: 127.0.0.1:0, data_dir: " + data_dir +
                           ", checkpoint_every: 1h}\n"
                           "streams:\n  s:\n    from: {generator: {speed: 0, sensors: 50, interval: 100ms}}\n"
                           "    decode: {format: json, sensor: sensor_id, time: {field: ts, unit: ms}}\n"
                           "    fields: {temperature: number}\n    windows: {size: 1d, by: [stream]}\n"
                           "    checks: [{check: in_range, field: temperature, min: -50, max: 60}]\n";
  ErrorList errors;
  Config config = read_config(yaml, "", errors);
  ASSERT_TRUE(errors.empty()) << format_errors("test", errors);
  Service service(std::move(config), "");
  ASSERT_TRUE(service.start().ok());
  const auto accepted = [&] { return service.stream_status().front().accepted; };
  ASSERT_TRUE(soon([&] { return accepted() > 0; }));
  const int writes = disk_writes_begun;
  disk_hangs = true;
  Status saved = Error{ErrorCode::kInternal, "not done"};
  std::thread checkpoint([&] { saved = service.checkpoint(); });
  EXPECT_TRUE(soon([&] { return disk_writes_begun > writes; }));
  const std::uint64_t then = accepted();
  EXPECT_TRUE(soon([&] { return accepted() >= then + 5000; })) << "records are held up";
  const std::uint64_t now = accepted();
  disk_hangs = false;
  checkpoint.join();
  ASSERT_TRUE(saved.ok()) << saved.error().message;
  {
    auto store = SqliteStore::open_to_read(data_dir + "/state.db");
    ASSERT_TRUE(store.ok());
    const auto unit = (*store)->unit("s", 0);
    ASSERT_TRUE(unit.ok() && *unit);
    EXPECT_GT((*unit)->position, 0);
    EXPECT_LT((*unit)->position, static_cast<std::int64_t>(now)) << "it is of one moment, and that was before";
  }
  service.stop();
}

}  // namespace
}  // namespace driftd::app
