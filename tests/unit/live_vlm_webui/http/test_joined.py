from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from live_vlm_webui.http.assets import load_assets, make_asset
from live_vlm_webui.http.joined import ALL_MODULES, needed, with_all_modules

MODULES = {
    "app.js": """import { count, add as more } from "./common/counter.js";
import { later } from "./later/door.js";
const $private = "import { not } from './a/module.js';";
more();
globalThis.told = later().then((held) => [count(), held, $private]);
""",
    "common/counter.js": """// One counter for all.
let held = 0;
export const count = () => held;
export function add() {
  held += 1;
}
""",
    "later/door.js": """import {
  add,
} from "../common/counter.js";
export async function later() {
  add();
  return (await import("./room.js")).enter();
}
""",
    "later/room.js": """import { add, count } from "../common/counter.js";
import { own } from "./own.js";
export const enter = () => (add(), own(count()));
""",
    "later/own.js": "export const own = (value) => `own ${value}`;\n",
}


def assets_of(modules):
    return {path: make_asset(path, text.encode()) for path, text in modules.items()}


def test_modules_that_are_joined_and_those_loaded_later_share_what_they_hold(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    for path, asset in with_all_modules(assets_of(MODULES)).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(asset.body)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    script = f'await import("./{ALL_MODULES}"); console.log(JSON.stringify(await globalThis.told));'
    ran = subprocess.run(
        [node, "--input-type=module", "-e", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == [3, "own 3", "import { not } from './a/module.js';"]


def test_each_module_comes_after_those_that_it_imports_and_those_loaded_later_are_left_out():
    order = needed(MODULES)
    assert order == ["common/counter.js", "later/door.js", "app.js"]


def test_modules_in_a_circle_are_refused_by_name():
    circle = {"app.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./app.js";\n'}
    with pytest.raises(ValueError, match=re.escape("app.js -> b.js -> app.js")):
        needed(circle)


@pytest.mark.parametrize(
    "line",
    ["export default 1;", "export { one };", 'import * as all from "./b.js";', 'import "./b.js";', "export let a;"],
)
def test_what_cannot_be_joined_is_refused_with_its_line(line):
    with pytest.raises(ValueError, match=re.escape(f"app.js has a line that cannot be joined: {line}")):
        with_all_modules(assets_of({"app.js": f"{line}\n", "b.js": ""}))


def test_the_page_needs_one_script_and_what_it_loads_later_takes_from_that():
    held = load_assets()
    assets = with_all_modules(held)
    scripts = {path: asset.body.decode() for path, asset in held.items() if path.endswith(".js")}
    order = needed(scripts)
    assert {"common/words.js", "camera/webrtc.js", "app.js"} <= set(order)
    later = scripts.keys() - set(order)
    assert later
    for path in later:
        for wanted in re.findall(r'from "([^"]+)"', assets[path].body.decode()):
            assert wanted == f"../{ALL_MODULES}" or wanted.startswith("./"), path
    for path in re.findall(r'import\("\./([^"]+)"\)', assets[ALL_MODULES].body.decode()):
        assert path in later
