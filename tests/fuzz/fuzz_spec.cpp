// Any bytes as a request's body: JSON is read or refused, and what is read is written and read back alike; a spec that is
// accepted has a canonical form that is accepted too and means the same; patching it with itself changes nothing.
#include "base/check.hpp"
#include "codec/json.hpp"
#include "codec/spec.hpp"

using namespace davit::codec;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const value = parse_json({reinterpret_cast<char const*>(data), size});
  if (!value) {
    CHECK(!value.error().message.empty());
    return 0;
  }
  auto const text = dump(*value);
  auto const again = parse_json(text);
  CHECK(again && dump(*again) == text, "{}", text);

  auto const read = read_valid_spec("web", *value);
  if (!read.problems.empty()) return 0;
  auto const canonical = write_spec(read.spec);
  auto const reread = read_valid_spec("web", canonical);
  CHECK(reread.problems.empty() && reread.spec == read.spec, "{}", dump(canonical));
  CHECK(dump(merge_patch(canonical, canonical)) == dump(canonical), "{}", dump(canonical));
  CHECK(diff(read.spec, reread.spec).empty(), "{}", dump(canonical));
  return 0;
}
