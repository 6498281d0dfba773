// Key 1 of phone 44 shows a light, and a press switches it: a script of ioBroker's adapter javascript, beside its adapter mqtt.
const LIGHT = '0_userdata.0.kitchen'; // the state of yours, true or false

function show() {
    const message = getState(LIGHT).val ? 'ON' : 'OFF';
    sendTo('mqtt.0', 'sendMessage2Client', {topic: 'snom_buttons/44/key/1/set', message, retain: false});
}

on({id: LIGHT, change: 'ne'}, show);
on({id: 'mqtt.0.snom_buttons.44.key.1.event', change: 'any'}, event => {
    const press = JSON.parse(event.state.val);
    if (press.event_type === 'press_end') {
        setState(LIGHT, !getState(LIGHT).val);
    }
});
show();
