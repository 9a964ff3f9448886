// YAML to Node: the only place that knows the file format.
#pragma once

#include <string>

#include "core/node.h"
#include "core/result.h"

namespace driftd::app {

// Parses one YAML document. Syntax errors, duplicate keys, unset ${VAR:?message} and documents over
// 100,000 values or 64 levels go to `errors` with line and column. `${VAR}`, `${VAR:-default}` and
// `${VAR:?message}` are replaced in scalars after parsing, so that a value can never change the
// document's structure; `$$` is a dollar sign. A Node without a place (line 0) when there is no tree to
// read on in: what is not valid YAML, or too large.
Node parse_yaml(const std::string& text, ErrorList& errors);

// Reads a file; Error when it cannot be read.
Result<std::string> read_file(const std::string& path, std::size_t cap = 16U << 20);

}  // namespace driftd::app
