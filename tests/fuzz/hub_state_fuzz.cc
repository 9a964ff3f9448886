// The hub's state in a checkpoint: what is taken starts a hub, at whatever position of the findings log, and is saved with
// the same alerts; what is not starts none.
#include <fstream>

#include "app/run/finding_hub.h"
#include "tests/fuzz/fuzz.h"
#include "tests/ingest/temp_folder.h"

namespace {

using namespace driftd;

constexpr std::string_view kLine = "{\"id\":\"1\"}\n";

// What is behind the position in the findings log.
std::string_view alerts_in(std::string_view state) { return state.substr(std::min<std::size_t>(state.size(), 16)); }

Result<std::unique_ptr<app::FindingHub>> hub(const std::string& folder, std::string_view state, Telemetry& telemetry, const Clock& clock) {
  const std::string log = folder + "/findings.jsonl";
  std::filesystem::remove(log + ".state");
  std::filesystem::remove(log + ".1");
  std::ofstream(log, std::ios::binary | std::ios::trunc) << kLine << kLine;
  return app::FindingHub::make({.findings_log = log, .outbox = folder + "/outbox.db", .external_url = ""}, {}, state, telemetry, clock);
}

std::string saved_alerts(app::FindingHub& hub, const std::string& folder) {
  ByteWriter out;
  const Status s = hub.save(out);
  FUZZ_CHECK(s.ok(), s.ok() ? "" : s.error().message);
  ByteReader in(out.bytes());
  in.u64();  // generation
  const std::uint64_t there = std::filesystem::file_size(folder + "/findings.jsonl");
  FUZZ_CHECK(in.u64() == there && there % kLine.size() == 0, "a position that is not behind a whole line of the log");
  return std::string(alerts_in(out.bytes()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ingest::TempFolder folder;
  static const ManualClock clock(1700000000 * kSecond);
  const std::string_view state = fuzz::text_of(data, size);
  const Status taken = app::FindingHub::try_state(state);
  FUZZ_CHECK(taken.ok() || !taken.error().message.empty(), "an error that says nothing");
  if (!taken) return 0;
  Telemetry telemetry;
  auto first = hub(folder.path(), state, telemetry, clock);
  FUZZ_CHECK(first.ok(), "a state that is taken starts no hub: " + (first.ok() ? "" : first.error().message));
  const std::string once = saved_alerts(**first, folder.path());
  first->reset();
  FUZZ_CHECK(app::FindingHub::try_state(std::string(16, '\0') + once).ok(), "what was saved is not taken");
  if (state.empty()) return 0;
  FUZZ_CHECK(once.size() == alerts_in(state).size(), "what was saved is not what was read");
  return 0;
}
