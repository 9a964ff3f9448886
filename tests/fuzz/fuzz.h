// What the fuzz targets share. A target is one file NAME_fuzz.cc with LLVMFuzzerTestOneInput: libFuzzer
// drives it (scripts/fuzz), and corpus_test.cc replays tests/fuzz/corpus/NAME through it in every build.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

// Says what is broken and stops, in every build: the fuzzer and the corpus test count on it.
#define FUZZ_CHECK(condition, what)                                                                       \
  do {                                                                                                    \
    if (!(condition)) {                                                                                   \
      std::fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, std::string(what).c_str()); \
      std::abort();                                                                                       \
    }                                                                                                     \
  } while (false)

namespace driftd::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

// Takes one byte off the front: the choice of a variant; 0 when there is none.
inline std::uint8_t take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

// The parts between `separator`; at most `most`, the last of which holds the rest.
inline std::vector<std::string_view> split(std::string_view input, char separator, std::size_t most) {
  std::vector<std::string_view> out;
  while (out.size() + 1 < most) {
    const std::size_t end = input.find(separator);
    if (end == std::string_view::npos) break;
    out.push_back(input.substr(0, end));
    input.remove_prefix(end + 1);
  }
  out.push_back(input);
  return out;
}

template <class T>
std::string saved(const T& thing) {
  ByteWriter out;
  thing.save(out);
  return out.take();
}

// What loads must save, and what was saved must load and save as the same bytes. True: it loaded.
template <class T>
bool load_is_stable(T& first, T& second, std::string_view bytes, const char* what) {
  ByteReader in(bytes);
  if (const Status s = first.load(in); !s) return false;
  const std::string once = saved(first);
  ByteReader again(once);
  const Status s = second.load(again);
  FUZZ_CHECK(s.ok(), std::string(what) + ": what was saved does not load: " + s.error().message);
  FUZZ_CHECK(again.left() == 0, std::string(what) + ": what was saved is not read to its end");
  FUZZ_CHECK(saved(second) == once, std::string(what) + ": saved twice differs");
  return true;
}

}  // namespace driftd::fuzz
