#include "core/hash.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace driftd {
namespace {

// FIPS 180-2, appendix B: one block, two blocks, a million times 'a'.
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kMillion = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Hash, Sha256) {
  EXPECT_EQ(sha256_hex("abc"), kAbc);
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')), kMillion);
}

TEST(Hash, Sha256OfAFileIsThatOfItsBytes) {
  const std::string path = (std::filesystem::temp_directory_path() / ("driftd_hash_test_" + std::to_string(::getpid()))).string();
  std::ofstream(path) << std::string(1'000'000, 'a');
  EXPECT_EQ(sha256_of_file(path).value(), kMillion);
  std::filesystem::resize_file(path, 0);
  EXPECT_EQ(sha256_of_file(path).value(), sha256_hex(""));
  std::filesystem::remove(path);
  const auto gone = sha256_of_file(path);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, ErrorCode::kIo);
  EXPECT_FALSE(sha256_of_file("/").ok()) << "a folder has no bytes";
}

// RFC 3720, B.4.
TEST(Hash, Crc32c) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string up;
  for (char c = 0; c < 32; ++c) up += c;
  EXPECT_EQ(crc32c(up), 0x46dd794eU);
  EXPECT_EQ(crc32c(std::string(up.rbegin(), up.rend())), 0x113fdb5cU);
  EXPECT_EQ(crc32c("56789", crc32c("1234")), crc32c("123456789")) << "goes on from a part";
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

// Eight bytes at a time and one at a time, at every length and place in memory.
TEST(Hash, Crc32cOfAnyLengthIsThatOfItsBytes) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>(i * 37 + 11);
  for (std::size_t from = 0; from < 16; ++from) {
    for (std::size_t size = 0; from + size <= text.size(); ++size) {
      const std::string_view part = std::string_view(text).substr(from, size);
      std::uint32_t by_byte = 0;
      for (std::size_t i = 0; i < size; ++i) by_byte = crc32c(part.substr(i, 1), by_byte);
      ASSERT_EQ(crc32c(part), by_byte) << from << "+" << size;
    }
  }
}

// Ids are stored, so the numbers must never change.
TEST(Hash, Hash64NeverChanges) {
  EXPECT_EQ(hex64(hash64("")), "efd01f60ba992926");
  EXPECT_EQ(hex64(hash64("driftd")), "23880bc1bf69c639");
  EXPECT_NE(hash64("driftd", 1), hash64("driftd"));
  EXPECT_EQ(hex64(0x0123456789abcdefULL), "0123456789abcdef");
}

}  // namespace
}  // namespace driftd
