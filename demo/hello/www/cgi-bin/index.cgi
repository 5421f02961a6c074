#!/bin/sh
# The page at /: which instance of which service answered, where. As plain text for curl, at /?text.
escape() { printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }
service=$(escape "${DAVIT_SERVICE:-no service}")
slot=$(escape "${DAVIT_SLOT:-0}")
node=$(escape "${DAVIT_NODE_NAME:-unknown}")
instance=$(escape "${DAVIT_INSTANCE_ID:-none}")
version=$DAVIT_DEMO_VERSION
echo "GET $REQUEST_URI for $REMOTE_ADDR" >&2  # into the container's log

if [ "$QUERY_STRING" = text ]; then
  printf 'Content-Type: text/plain; charset=utf-8\r\n\r\n%s.%s on %s, version %s, instance %s\n' \
    "$service" "$slot" "$node" "$version" "$instance"
  exit
fi
case $version in
  1) colour=#2456d6 greeting='Hello' ;;
  *) colour=#0a7d4f greeting='Hello again' ;;
esac
printf 'Content-Type: text/html; charset=utf-8\r\n\r\n'
cat <<HTML
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>$service.$slot on $node</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: $colour; font: 18px/1.5 system-ui, sans-serif; color: #1b2330 }
  main { background: #fff; border-radius: 14px; padding: 2rem 2.6rem; min-width: 16rem; box-shadow: 0 12px 40px #0004 }
  h1 { margin: 0; font-size: 2.1rem; line-height: 1.2 } h1 small { color: $colour }
  p { margin: .2rem 0 1.2rem; color: #5b6677 }
  dl { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: .25rem 1.4rem } dt { color: #5b6677 } dd { margin: 0; font-weight: 600; overflow-wrap: anywhere }
  .v { display: inline-block; padding: 0 .6em; border-radius: 1em; background: $colour; color: #fff }
</style>
<main>
  <h1>$greeting from $service<small>.$slot</small></h1>
  <p>A container that Davit keeps running.</p>
  <dl>
    <dt>version</dt><dd><span class="v">$version</span></dd>
    <dt>node</dt><dd>$node</dd>
    <dt>instance</dt><dd>$instance</dd>
    <dt>container</dt><dd>$(hostname)</dd>
    <dt>served at</dt><dd>$(date -u +%H:%M:%S) UTC</dd>
  </dl>
</main>
</html>
HTML
