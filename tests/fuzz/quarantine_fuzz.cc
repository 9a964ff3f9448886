// A segment of the quarantine: any bytes are records or damaged lines, and a damaged one costs itself.
#include <fstream>

#include "ingest/quarantine_reader.h"
#include "tests/fuzz/fuzz.h"
#include "tests/ingest/temp_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace driftd;
  const std::string_view input = fuzz::text_of(data, size);
  static const ingest::TempFolder folder;
  std::ofstream(folder.path() + "/quarantine-000000000001.jsonl", std::ios::binary | std::ios::trunc) << input;
  std::uint64_t records = 0, expected = 0, lines = 0;
  const auto totals = ingest::read_quarantine(folder.path(), [&](const ingest::QuarantinedRecord& r) {
    ++records;
    FUZZ_CHECK(r.payload.size() <= r.size && r.payload.size() <= input.size(), "a payload out of nothing");
  });
  FUZZ_CHECK(totals.ok(), totals.ok() ? "" : totals.error().message);
  for (const std::string_view line : fuzz::split(input, '\n', input.size() + 1)) {
    if (line.data() == input.data() + input.size() && line.empty()) break;  // behind the last line's end
    ++lines;
    expected += ingest::parse_quarantined(line).has_value() ? 1 : 0;
  }
  FUZZ_CHECK(records + totals->again == expected && totals->damaged == lines - expected, "a damaged line costs others");
  return 0;
}
