// What every WebUI's own script gives to extensions.
function gradioApp() {
    return document.getElementsByTagName('gradio-app')[0]?.shadowRoot ?? document;
}

const uiCallbacks = {update: [], afterUpdate: [], loaded: [], tab: [], options: []};

function onUiUpdate(callback) { uiCallbacks.update.push(callback); }
function onAfterUiUpdate(callback) { uiCallbacks.afterUpdate.push(callback); }
function onUiLoaded(callback) { uiCallbacks.loaded.push(callback); }
function onUiTabChange(callback) { uiCallbacks.tab.push(callback); }
function onOptionsChanged(callback) { uiCallbacks.options.push(callback); }

function callAll(callbacks, argument) {
    for (const callback of callbacks) {
        try { callback(argument); } catch (error) { console.error('extension:', error); }
    }
}

function get_uiCurrentTab() {
    return gradioApp().querySelector('#tabs > .tab-nav > button.selected, #tabs button[role=tab].selected');
}

function get_uiCurrentTabContent() {
    return gradioApp().querySelector('#tabs > .tabitem[id^=tab_]:not([style*="display: none"])');
}

function switch_to_txt2img() {
    gradioApp().querySelectorAll('#tabs > .tab-nav button, #tabs > div > button[role=tab]')[0].click();
    return Array.from(arguments);
}

function updateInput(target) {
    target.dispatchEvent(new Event('input', {bubbles: true}));
}

document.addEventListener('DOMContentLoaded', () => {
    let loaded = false, tab = null, waiting = null;
    new MutationObserver((changes) => {
        if (!loaded && gradioApp().querySelector('#txt2img_prompt')) {
            loaded = true;
            callAll(uiCallbacks.loaded);
        }
        callAll(uiCallbacks.update, changes);
        clearTimeout(waiting);
        waiting = setTimeout(() => callAll(uiCallbacks.afterUpdate), 200);
        const now = get_uiCurrentTab();
        if (now && now !== tab) {
            tab = now;
            callAll(uiCallbacks.tab);
        }
    }).observe(gradioApp(), {childList: true, subtree: true});
});
