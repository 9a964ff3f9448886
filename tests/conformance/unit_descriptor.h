// What every descriptor must say, whatever the unit is.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/registry.h"

namespace driftd {

// One sentence without its full stop, as tables and help texts want it.
inline bool is_a_sentence(const std::string& text) {
  return text.size() > 10 && text.find(". ") == std::string::npos && !text.ends_with(".") && text.find('\n') == std::string::npos;
}

inline void expect_documented(const Descriptor& d) {
  EXPECT_TRUE(is_a_sentence(d.summary)) << d.summary;
  for (const std::string* text : {&d.applies_to, &d.source, &d.example, &d.notes}) {
    EXPECT_FALSE(text->empty()) << d.name;
  }
  std::set<std::string> names;
  for (const ParamSpec& spec : d.params) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name << " is there twice";
    EXPECT_GT(spec.sentence.size(), 5U) << spec.name;
    EXPECT_FALSE(spec.sentence.ends_with(".")) << spec.name;
    EXPECT_TRUE(spec.required || !spec.default_text.empty()) << spec.name << " has no default";
  }
  std::set<std::string> words;
  for (const Reason& r : d.reasons) {
    EXPECT_TRUE(words.insert(r.word).second) << r.word << " is there twice";
    EXPECT_FALSE(r.meaning.empty()) << r.word;
  }
}

// Of checks, distances and detectors.
inline void expect_says_what_null_and_nan_do(const Descriptor& d) {
  EXPECT_NE(d.notes.find("ull"), std::string::npos) << d.name << ": the notes say what null does";
  for (const char* numbers : {"number", "integer", "flag", "any field", "stream"}) {
    if (d.applies_to.find(numbers) == std::string::npos) continue;
    EXPECT_NE(d.notes.find("NaN"), std::string::npos) << d.name << ": the notes say what NaN does (it takes: " << numbers << ")";
  }
}

// expect_documented() of sources and decoders, whose summaries end with a full stop and whose texts and lists
// may be left out without a default.
inline void expect_documented_in_full(Descriptor d) {
  EXPECT_TRUE(d.summary.ends_with(".")) << d.summary;
  if (!d.summary.empty()) d.summary.pop_back();
  for (ParamSpec& spec : d.params) {
    const bool text = spec.type == ParamType::kText || spec.type == ParamType::kTextList || spec.type == ParamType::kTextMap ||
                      spec.type == ParamType::kNode;
    spec.required = spec.required || text;
  }
  expect_documented(d);
}

}  // namespace driftd
