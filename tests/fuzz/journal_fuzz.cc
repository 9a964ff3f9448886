// The journal: a byte of options, then the bytes of its last segment behind the header, with checksums
// put right in one variant. Whatever stands there, it opens, reads to its end, and keeps what is appended.
#include <filesystem>
#include <fstream>

#include "core/hash.h"
#include "ingest/journal_cursor.h"
#include "ingest/journal_frame.h"
#include "tests/fuzz/fuzz.h"
#include "tests/ingest/temp_folder.h"

namespace {

using namespace driftd;

// Frames as lengths say, each with the checksum of its body.
std::string with_checksums(std::string bytes) {
  for (std::size_t at = 0; at + 8 <= bytes.size();) {
    ByteReader prefix(std::string_view(bytes).substr(at, 4));
    const std::size_t size = prefix.u32() % 512;
    if (at + 8 + size > bytes.size()) break;
    ByteWriter fixed;
    fixed.u32(static_cast<std::uint32_t>(size));
    fixed.u32(crc32c(std::string_view(bytes).substr(at + 8, size)));
    bytes.replace(at, 8, fixed.bytes());
    at += 8 + size;
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const std::uint8_t variant = fuzz::take_byte(input);
  static const ingest::TempFolder folder;
  const std::string path = folder.path() + "/00000000000000000000.journal";
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) std::filesystem::remove(entry.path());
  {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    if ((variant & 1) == 0) file << ingest::encode_header({4, 0});
    file << ((variant & 2) != 0 ? with_checksums(std::string(input)) : std::string(input));
  }
  ingest::JournalOptions options;
  options.folder = folder.path();
  options.partitions = 4;
  auto journal = ingest::Journal::open(options);
  if (!journal) {
    FUZZ_CHECK(!journal.error().message.empty(), "an error that says nothing");
    return 0;
  }
  const std::int64_t end = (*journal)->end();
  std::vector<ingest::JournalEntry> entries(1);
  entries[0].payload = "the newest";
  FUZZ_CHECK((*journal)->append(entries).ok() && entries[0].sequence == end, "it takes nothing more");
  ingest::JournalCursor cursor(**journal, (*journal)->begin());
  std::int64_t next = 0, lost = 0, seen = 0;
  std::string newest;
  for (;;) {
    ingest::JournalCursor::Chunk chunk;
    const auto more = cursor.next(chunk);
    FUZZ_CHECK(more.ok(), more.ok() ? "" : more.error().message);
    if (!*more) break;
    for (const auto& gap : chunk.gaps) lost += gap.next - gap.first;
    for (const ingest::JournalEntry& entry : chunk.entries) {
      FUZZ_CHECK(entry.sequence >= next, "a sequence that goes back");
      next = entry.sequence + 1;
      newest = entry.payload;
      ++seen;
    }
  }
  FUZZ_CHECK(newest == "the newest", "what was appended is not read");
  FUZZ_CHECK(seen + lost == next, "records are neither read nor counted as lost");
  return 0;
}
