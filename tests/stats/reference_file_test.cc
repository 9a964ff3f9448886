#include <gmock/gmock.h>

#include "core/hash.h"
#include "stats/reference_store.h"
#include "tests/stats/reference_fixture.h"

namespace driftd::stats::reference_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Reference documented() {
  Reference r = build(some_rows());
  r.tags = {"winter", "plant 1"};
  r.provenance.created_at = 12;
  r.provenance.created_by = "ann@plant";
  r.provenance.driftd_version = "0.1.0";
  r.provenance.rejected = 3;
  r.provenance.first = 0;
  r.provenance.last = 99;
  r.provenance.notes = {{"commit", "abc"}};
  return r;
}

// `bytes` with a checksum that fits.
std::string sealed(std::string bytes) {
  ByteWriter crc;
  crc.u32(crc32c(std::string_view(bytes).substr(8)));
  return bytes.replace(4, 4, crc.bytes());
}

TEST(ReferenceFile, BringsEverythingBackButTheVersion) {
  Reference r = documented();
  r.version = 7;
  const auto back = import_bytes(export_bytes(r));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->name, "pumps");
  EXPECT_EQ(back->version, 0U) << "the store that takes it gives it one";
  EXPECT_EQ(back->tags, r.tags);
  EXPECT_EQ(back->hash, r.hash);
  EXPECT_EQ(back->content(), r.content());
  EXPECT_EQ(back->provenance.created_by, "ann@plant");
  EXPECT_EQ(back->provenance.rejected, 3U);
  EXPECT_EQ(back->provenance.last, 99);
  EXPECT_EQ(back->provenance.notes, r.provenance.notes);
  EXPECT_EQ(export_bytes(*back), export_bytes(r));
}

TEST(ReferenceFile, NamesEachOfManyInputs) {
  Reference r = documented();
  for (int i = 0; i < 20'000; ++i) r.provenance.sources.push_back("file:day-" + std::to_string(i) + ".csv sha256:" + std::string(64, 'a'));
  r.hash = sha256_hex(r.content());
  const auto back = import_bytes(export_bytes(r));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->provenance.sources, r.provenance.sources);
}

TEST(ReferenceFile, RefusesADamagedFile) {
  const std::string bytes = export_bytes(documented());
  for (std::size_t size = 0; size < bytes.size(); size += size < 200 ? 1 : 101) {
    EXPECT_FALSE(import_bytes(bytes.substr(0, size)).ok()) << size;
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += bit < 1600 ? 1 : 1009) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(import_bytes(flipped).ok()) << bit;
  }
  EXPECT_THAT(import_bytes("PK\x03\x04").error().message, HasSubstr("no exported reference"));
}

TEST(ReferenceFile, AChecksumThatFitsDoesNotMakeItTrusted) {
  const std::string bytes = export_bytes(documented());
  for (std::size_t size = 8; size < bytes.size(); size += 37) {
    EXPECT_FALSE(import_bytes(sealed(bytes.substr(0, size))).ok()) << size;
  }
  for (std::size_t at = 8; at + 4 < bytes.size(); at += 61) {
    std::string absurd = bytes;
    absurd.replace(at, 4, "\xff\xff\xff\xff");
    const auto r = import_bytes(sealed(absurd));
    // Provenance is not part of the content; all else is held by the hash.
    if (r.ok()) {
      EXPECT_EQ(export_bytes(*r), sealed(absurd));
    }
  }
}

TEST(ReferenceFile, DifferencesAreInTheFieldsOwnWords) {
  const Reference a = build(some_rows());
  EXPECT_THAT(differences(a, build(some_rows())), IsEmpty());
  std::vector<Row> rows = some_rows(10);
  rows[0].status = "broken";
  rows[1].temperature = Cell::kNull;
  rows.push_back({0, 25.0, "on"});
  const std::vector<std::string> found = differences(a, build(rows));
  EXPECT_THAT(found, Contains("rows 100 -> 101"));
  EXPECT_THAT(found, Contains("status: new category 'broken'"));
  EXPECT_THAT(found, Contains(HasSubstr("temperature: null share 0.1 -> 0.108911")));
  EXPECT_THAT(found, Contains(HasSubstr("temperature: mean ")));
  EXPECT_THAT(found, Contains(HasSubstr("temperature: range [20, 42] -> [25, 52]")));
}

TEST(ReferenceFile, DifferencesOfOtherFieldsBinsAndNothing) {
  const Reference a = build(some_rows());
  Reference renamed = a;
  for (SegmentProfile& s : renamed.segments) s.fields[0].name = "heat";
  renamed.hash = "another";
  EXPECT_THAT(differences(a, renamed), ElementsAre("temperature: only in the first", "heat: only in the second"));
  Reference shorter = a;
  shorter.history.clear();
  shorter.hash = "another";
  EXPECT_THAT(differences(a, shorter), ElementsAre("only bins or histories differ"));
  EXPECT_THAT(differences(a, Reference()), ElementsAre("one of them is empty"));
}

}  // namespace
}  // namespace driftd::stats::reference_test
