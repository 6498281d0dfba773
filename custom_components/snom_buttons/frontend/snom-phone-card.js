const U="snom_buttons",Q=i=>We(i,({entry_type:e})=>e===null),at=i=>We(i,({entry_type:e,via_device_id:t})=>e!==null&&!!t),lt=(i,e)=>Object.values(i.entities).filter(t=>t.device_id===e&&!t.hidden).map(({entity_id:t})=>t).sort((t,s)=>we(t).localeCompare(we(s))),we=i=>i.slice(i.indexOf(".")+1),We=(i,e)=>Object.values(i.devices).filter(t=>t.disabled_by===null&&t.identifiers.some(([s])=>s===U)&&e(t)).sort((t,s)=>xe(t).localeCompare(xe(s),i.language,{numeric:!0})),xe=i=>i.name_by_user??i.name??"",ht=async(i,e)=>{const{translation_domain:t,translation_key:s}=e,n=e.message??String(e);return!t||!s?n:(await i.loadBackendTranslation("exceptions",t))(`component.${t}.exceptions.${s}.message`,e.translation_placeholders)||n},ct={"card.description":"Ein Tischtelefon mit seinen Tasten und Lampen","card.failed":"Dieses Telefon kann nicht gezeigt werden: {message}","card.name":"Tischtelefon","card.no_device":"Wähle in den Einstellungen dieser Karte ein Telefon.","card.refused":"Du darfst dieses Telefon nicht sehen.","card.reload":"Diese Seite hat eine andere Version der Karte als der Server.","card.reload_now":"Seite neu laden","card.removed":"Dieses Telefon wurde entfernt.","card.stopped":"Der Server dieses Telefons ist angehalten.","card.unknown":"Dieses Telefon ist nicht bekannt.","card.waiting":"Warten auf das Telefon …","color.blue":"blau","color.green":"grün","color.orange":"orange","color.pink":"pink","color.red":"rot","color.turquoise":"türkis","color.violet":"violett","color.white":"weiß","color.yellow":"gelb","editor.device_id":"Telefon","editor.no_boolean":"show_name muss true oder false sein.","editor.no_text":"device_id muss die ID eines Geräts sein.","editor.show_name":"Namen zeigen","editor.show_name_help":"Aus, wenn eine Überschrift über der Karte das Telefon nennt.","example.alarm":"Alarm","example.door":"Haustür","example.garage":"Garage","example.heating":"Heizung","example.light":"Küche","example.mail":"Post","example.music":"Musik","example.name":"Beispiel","example.night":"Gute Nacht","key.caller":"Anruf: {caller}","key.confirming":"Erneut drücken","key.held":"gehalten von {phone}","key.lacking":"noch nicht auf dem Telefon","key.name":"Taste {key}","key.not_pressable":"kann nicht gedrückt werden","key.waiting":"{new} neue, {old} alte Nachrichten","lamp.dark":"Lampe aus","lamp.fast":"Lampe blinkt schnell, {color}","lamp.medium":"Lampe blinkt, {color}","lamp.slow":"Lampe blinkt langsam, {color}","lamp.steady":"Lampe an, {color}","panel.empty":"Es ist kein Telefon eingerichtet.","panel.title":"Telefone","phone.empty":"Es ist keine Taste eingerichtet.","phone.generic":"Wo diese Tasten liegen, ist nicht bekannt. Sie sind der Reihe nach gezeichnet.","phone.keys":"Tasten des Telefons","phone.messages":"{new} neue, {old} alte Nachrichten","phone.module":"Erweiterungsmodul {model}","phone.more":"Weitere Tasten","phone.no_press":"Du darfst dieses Telefon sehen, aber seine Tasten nicht drücken.","phone.page":"Seite {page}","phone.page_lit":"Seite {page}: {lamps} an","phone.pages":"Seiten","status.absent":"Das Telefon ist nicht angemeldet","status.behind":"Das Telefon ist noch nicht auf dem Stand","status.in_sync":"Das Telefon ist auf dem Stand","status.refusing":"Das Telefon lehnt ab, was seine Tasten zeigen sollen","status.silent":"Das Telefon antwortet nicht","status.stopped":"Der Server dieses Telefons ist angehalten","strategy.description":"Alle Tischtelefone mit ihren Tasten und Lampen, und die gemeinsamen Leitungen","strategy.empty":"Es ist kein Telefon eingerichtet. [Füge eines hinzu](/config/integrations/integration/snom_buttons) auf der Seite der Integration.","strategy.lines":"Gemeinsame Leitungen"},Ge={"card.description":"A desk phone with its keys and lamps","card.failed":"This phone cannot be shown: {message}","card.name":"Desk phone","card.no_device":"Choose a phone in the settings of this card.","card.refused":"You may not see this phone.","card.reload":"This page has another version of the card than the server.","card.reload_now":"Reload the page","card.removed":"This phone was removed.","card.stopped":"The server of this phone is stopped.","card.unknown":"This phone is not known.","card.waiting":"Waiting for the phone…","color.blue":"blue","color.green":"green","color.orange":"orange","color.pink":"pink","color.red":"red","color.turquoise":"turquoise","color.violet":"violet","color.white":"white","color.yellow":"yellow","editor.device_id":"Phone","editor.no_boolean":"show_name must be true or false.","editor.no_text":"device_id must be the ID of a device.","editor.show_name":"Show the name","editor.show_name_help":"Off if a heading above the card names the phone.","example.alarm":"Alarm","example.door":"Front door","example.garage":"Garage","example.heating":"Heating","example.light":"Kitchen","example.mail":"Mail","example.music":"Music","example.name":"Example","example.night":"Good night","key.caller":"call: {caller}","key.confirming":"Press again","key.held":"held by {phone}","key.lacking":"not yet on the phone","key.name":"Key {key}","key.not_pressable":"cannot be pressed","key.waiting":"{new} new, {old} old messages","lamp.dark":"lamp off","lamp.fast":"lamp blinks fast, {color}","lamp.medium":"lamp blinks, {color}","lamp.slow":"lamp blinks slowly, {color}","lamp.steady":"lamp on, {color}","panel.empty":"No phone is set up.","panel.title":"Phones","phone.empty":"No key is set up.","phone.generic":"It is not known where these keys are. They are drawn in their order.","phone.keys":"Keys of the phone","phone.messages":"{new} new, {old} old messages","phone.module":"Expansion module {model}","phone.more":"More keys","phone.no_press":"You may see this phone, but not press its keys.","phone.page":"Page {page}","phone.page_lit":"Page {page}: {lamps} lit","phone.pages":"Pages","status.absent":"The phone is not registered","status.behind":"The phone is not up to date yet","status.in_sync":"The phone is up to date","status.refusing":"The phone refuses what its keys should show","status.silent":"The phone does not answer","status.stopped":"The server of this phone is stopped","strategy.description":"All desk phones with their keys and lamps, and the shared lines","strategy.empty":"No phone is set up. [Add one](/config/integrations/integration/snom_buttons) on the page of the integration.","strategy.lines":"Shared lines"},dt={de:ct,en:Ge},p=(i,e,t={})=>{const[s=""]=(i??"").split("-");return(dt[s]?.[e]??Ge[e]).replaceAll(/\{(\w+)\}/g,(o,r)=>String(t[r]??o))},I="snom-phone-card",pt=[{name:"device_id",required:!0,selector:{device:{entity:{integration:U,domain:["binary_sensor","button"]}}}},{name:"show_name",default:!0,selector:{boolean:{}}}],ut={show_name:"editor.show_name_help"},A=()=>document.documentElement.lang,ft=i=>{const[e]=Q(i);return e?{device_id:e.id}:{}},gt=()=>({schema:pt,computeLabel:({name:i})=>p(A(),`editor.${i}`),computeHelper:({name:i})=>{const e=ut[i];return e&&p(A(),e)},assertConfig:qe}),qe=i=>{const{device_id:e,show_name:t}=i;if(e!==void 0&&typeof e!="string")throw new Error(p(A(),"editor.no_text"));if(t!==void 0&&typeof t!="boolean")throw new Error(p(A(),"editor.no_boolean"))},mt=(i,e)=>{const t=i.entities[e];if(t?.platform!==U)return null;const s=Q(i).find(({id:n})=>n===t.device_id);return s?{config:{type:`custom:${I}`,device_id:s.id}}:null};const G=globalThis,he=G.ShadowRoot&&(G.ShadyCSS===void 0||G.ShadyCSS.nativeShadow)&&"adoptedStyleSheets"in Document.prototype&&"replace"in CSSStyleSheet.prototype,ce=Symbol(),ve=new WeakMap;let Fe=class{constructor(e,t,s){if(this._$cssResult$=!0,s!==ce)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o;const t=this.t;if(he&&e===void 0){const s=t!==void 0&&t.length===1;s&&(e=ve.get(t)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),s&&ve.set(t,e))}return e}toString(){return this.cssText}};const _t=i=>new Fe(typeof i=="string"?i:i+"",void 0,ce),de=(i,...e)=>{const t=i.length===1?i[0]:e.reduce((s,n,o)=>s+(r=>{if(r._$cssResult$===!0)return r.cssText;if(typeof r=="number")return r;throw Error("Value passed to 'css' function must be a 'css' function result: "+r+". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.")})(n)+i[o+1],i[0]);return new Fe(t,i,ce)},yt=(i,e)=>{if(he)i.adoptedStyleSheets=e.map(t=>t instanceof CSSStyleSheet?t:t.styleSheet);else for(const t of e){const s=document.createElement("style"),n=G.litNonce;n!==void 0&&s.setAttribute("nonce",n),s.textContent=t.cssText,i.appendChild(s)}},ke=he?i=>i:i=>i instanceof CSSStyleSheet?(e=>{let t="";for(const s of e.cssRules)t+=s.cssText;return _t(t)})(i):i;const{is:bt,defineProperty:$t,getOwnPropertyDescriptor:wt,getOwnPropertyNames:xt,getOwnPropertySymbols:vt,getPrototypeOf:kt}=Object,J=globalThis,Ae=J.trustedTypes,At=Ae?Ae.emptyScript:"",Et=J.reactiveElementPolyfillSupport,j=(i,e)=>i,q={toAttribute(i,e){switch(e){case Boolean:i=i?At:null;break;case Object:case Array:i=i==null?i:JSON.stringify(i)}return i},fromAttribute(i,e){let t=i;switch(e){case Boolean:t=i!==null;break;case Number:t=i===null?null:Number(i);break;case Object:case Array:try{t=JSON.parse(i)}catch{t=null}}return t}},pe=(i,e)=>!bt(i,e),Ee={attribute:!0,type:String,converter:q,reflect:!1,useDefault:!1,hasChanged:pe};Symbol.metadata??=Symbol("metadata"),J.litPropertyMetadata??=new WeakMap;let O=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=Ee){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){const s=Symbol(),n=this.getPropertyDescriptor(e,s,t);n!==void 0&&$t(this.prototype,e,n)}}static getPropertyDescriptor(e,t,s){const{get:n,set:o}=wt(this.prototype,e)??{get(){return this[t]},set(r){this[t]=r}};return{get:n,set(r){const l=n?.call(this);o?.call(this,r),this.requestUpdate(e,l,s)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??Ee}static _$Ei(){if(this.hasOwnProperty(j("elementProperties")))return;const e=kt(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(j("finalized")))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(j("properties"))){const t=this.properties,s=[...xt(t),...vt(t)];for(const n of s)this.createProperty(n,t[n])}const e=this[Symbol.metadata];if(e!==null){const t=litPropertyMetadata.get(e);if(t!==void 0)for(const[s,n]of t)this.elementProperties.set(s,n)}this._$Eh=new Map;for(const[t,s]of this.elementProperties){const n=this._$Eu(t,s);n!==void 0&&this._$Eh.set(n,t)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){const t=[];if(Array.isArray(e)){const s=new Set(e.flat(1/0).reverse());for(const n of s)t.unshift(ke(n))}else e!==void 0&&t.push(ke(e));return t}static _$Eu(e,t){const s=t.attribute;return s===!1?void 0:typeof s=="string"?s:typeof e=="string"?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){const e=new Map,t=this.constructor.elementProperties;for(const s of t.keys())this.hasOwnProperty(s)&&(e.set(s,this[s]),delete this[s]);e.size>0&&(this._$Ep=e)}createRenderRoot(){const e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return yt(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,s){this._$AK(e,s)}_$ET(e,t){const s=this.constructor.elementProperties.get(e),n=this.constructor._$Eu(e,s);if(n!==void 0&&s.reflect===!0){const o=(s.converter?.toAttribute!==void 0?s.converter:q).toAttribute(t,s.type);this._$Em=e,o==null?this.removeAttribute(n):this.setAttribute(n,o),this._$Em=null}}_$AK(e,t){const s=this.constructor,n=s._$Eh.get(e);if(n!==void 0&&this._$Em!==n){const o=s.getPropertyOptions(n),r=typeof o.converter=="function"?{fromAttribute:o.converter}:o.converter?.fromAttribute!==void 0?o.converter:q;this._$Em=n;const l=r.fromAttribute(t,o.type);this[n]=l??this._$Ej?.get(n)??l,this._$Em=null}}requestUpdate(e,t,s,n=!1,o){if(e!==void 0){const r=this.constructor;if(n===!1&&(o=this[e]),s??=r.getPropertyOptions(e),!((s.hasChanged??pe)(o,t)||s.useDefault&&s.reflect&&o===this._$Ej?.get(e)&&!this.hasAttribute(r._$Eu(e,s))))return;this.C(e,t,s)}this.isUpdatePending===!1&&(this._$ES=this._$EP())}C(e,t,{useDefault:s,reflect:n,wrapped:o},r){s&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,r??t??this[e]),o!==!0||r!==void 0)||(this._$AL.has(e)||(this.hasUpdated||s||(t=void 0),this._$AL.set(e,t)),n===!0&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(t){Promise.reject(t)}const e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(const[n,o]of this._$Ep)this[n]=o;this._$Ep=void 0}const s=this.constructor.elementProperties;if(s.size>0)for(const[n,o]of s){const{wrapped:r}=o,l=this[n];r!==!0||this._$AL.has(n)||l===void 0||this.C(n,void 0,o,l)}}let e=!1;const t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(s=>s.hostUpdate?.()),this.update(t)):this._$EM()}catch(s){throw e=!1,this._$EM(),s}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(t=>t.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(t=>this._$ET(t,this[t])),this._$EM()}updated(e){}firstUpdated(e){}};O.elementStyles=[],O.shadowRootOptions={mode:"open"},O[j("elementProperties")]=new Map,O[j("finalized")]=new Map,Et?.({ReactiveElement:O}),(J.reactiveElementVersions??=[]).push("2.1.2");const ue=globalThis,Se=i=>i,F=ue.trustedTypes,Te=F?F.createPolicy("lit-html",{createHTML:i=>i}):void 0,Ye="$lit$",k=`lit$${Math.random().toFixed(9).slice(2)}$`,Ze="?"+k,St=`<${Ze}>`,C=document,B=()=>C.createComment(""),K=i=>i===null||typeof i!="object"&&typeof i!="function",fe=Array.isArray,Tt=i=>fe(i)||typeof i?.[Symbol.iterator]=="function",ne=`[ 	
\f\r]`,D=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,Me=/-->/g,Ce=/>/g,E=RegExp(`>|${ne}(?:([^\\s"'>=/]+)(${ne}*=${ne}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),Pe=/'/g,Oe=/"/g,Xe=/^(?:script|style|textarea|title)$/i,Je=i=>(e,...t)=>({_$litType$:i,strings:e,values:t}),u=Je(1),Y=Je(2),y=Symbol.for("lit-noChange"),d=Symbol.for("lit-nothing"),Ue=new WeakMap,T=C.createTreeWalker(C,129);function et(i,e){if(!fe(i)||!i.hasOwnProperty("raw"))throw Error("invalid template strings array");return Te!==void 0?Te.createHTML(e):e}const Mt=(i,e)=>{const t=i.length-1,s=[];let n,o=e===2?"<svg>":e===3?"<math>":"",r=D;for(let l=0;l<t;l++){const a=i[l];let c,g,h=-1,m=0;for(;m<a.length&&(r.lastIndex=m,g=r.exec(a),g!==null);)m=r.lastIndex,r===D?g[1]==="!--"?r=Me:g[1]!==void 0?r=Ce:g[2]!==void 0?(Xe.test(g[2])&&(n=RegExp("</"+g[2],"g")),r=E):g[3]!==void 0&&(r=E):r===E?g[0]===">"?(r=n??D,h=-1):g[1]===void 0?h=-2:(h=r.lastIndex-g[2].length,c=g[1],r=g[3]===void 0?E:g[3]==='"'?Oe:Pe):r===Oe||r===Pe?r=E:r===Me||r===Ce?r=D:(r=E,n=void 0);const f=r===E&&i[l+1].startsWith("/>")?" ":"";o+=r===D?a+St:h>=0?(s.push(c),a.slice(0,h)+Ye+a.slice(h)+k+f):a+k+(h===-2?l:f)}return[et(i,o+(i[t]||"<?>")+(e===2?"</svg>":e===3?"</math>":"")),s]};class V{constructor({strings:e,_$litType$:t},s){let n;this.parts=[];let o=0,r=0;const l=e.length-1,a=this.parts,[c,g]=Mt(e,t);if(this.el=V.createElement(c,s),T.currentNode=this.el.content,t===2||t===3){const h=this.el.content.firstChild;h.replaceWith(...h.childNodes)}for(;(n=T.nextNode())!==null&&a.length<l;){if(n.nodeType===1){if(n.hasAttributes())for(const h of n.getAttributeNames())if(h.endsWith(Ye)){const m=g[r++],f=n.getAttribute(h).split(k),_=/([.?@])?(.*)/.exec(m);a.push({type:1,index:o,name:_[2],strings:f,ctor:_[1]==="."?Pt:_[1]==="?"?Ot:_[1]==="@"?Ut:ee}),n.removeAttribute(h)}else h.startsWith(k)&&(a.push({type:6,index:o}),n.removeAttribute(h));if(Xe.test(n.tagName)){const h=n.textContent.split(k),m=h.length-1;if(m>0){n.textContent=F?F.emptyScript:"";for(let f=0;f<m;f++)n.append(h[f],B()),T.nextNode(),a.push({type:2,index:++o});n.append(h[m],B())}}}else if(n.nodeType===8)if(n.data===Ze)a.push({type:2,index:o});else{let h=-1;for(;(h=n.data.indexOf(k,h+1))!==-1;)a.push({type:7,index:o}),h+=k.length-1}o++}}static createElement(e,t){const s=C.createElement("template");return s.innerHTML=e,s}}function H(i,e,t=i,s){if(e===y)return e;let n=s!==void 0?t._$Co?.[s]:t._$Cl;const o=K(e)?void 0:e._$litDirective$;return n?.constructor!==o&&(n?._$AO?.(!1),o===void 0?n=void 0:(n=new o(i),n._$AT(i,t,s)),s!==void 0?(t._$Co??=[])[s]=n:t._$Cl=n),n!==void 0&&(e=H(i,n._$AS(i,e.values),n,s)),e}class Ct{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){const{el:{content:t},parts:s}=this._$AD,n=(e?.creationScope??C).importNode(t,!0);T.currentNode=n;let o=T.nextNode(),r=0,l=0,a=s[0];for(;a!==void 0;){if(r===a.index){let c;a.type===2?c=new N(o,o.nextSibling,this,e):a.type===1?c=new a.ctor(o,a.name,a.strings,this,e):a.type===6&&(c=new Ht(o,this,e)),this._$AV.push(c),a=s[++l]}r!==a?.index&&(o=T.nextNode(),r++)}return T.currentNode=C,n}p(e){let t=0;for(const s of this._$AV)s!==void 0&&(s.strings!==void 0?(s._$AI(e,s,t),t+=s.strings.length-2):s._$AI(e[t])),t++}}class N{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,s,n){this.type=2,this._$AH=d,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=s,this.options=n,this._$Cv=n?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode;const t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=H(this,e,t),K(e)?e===d||e==null||e===""?(this._$AH!==d&&this._$AR(),this._$AH=d):e!==this._$AH&&e!==y&&this._(e):e._$litType$!==void 0?this.$(e):e.nodeType!==void 0?this.T(e):Tt(e)?this.k(e):this._(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==d&&K(this._$AH)?this._$AA.nextSibling.data=e:this.T(C.createTextNode(e)),this._$AH=e}$(e){const{values:t,_$litType$:s}=e,n=typeof s=="number"?this._$AC(e):(s.el===void 0&&(s.el=V.createElement(et(s.h,s.h[0]),this.options)),s);if(this._$AH?._$AD===n)this._$AH.p(t);else{const o=new Ct(n,this),r=o.u(this.options);o.p(t),this.T(r),this._$AH=o}}_$AC(e){let t=Ue.get(e.strings);return t===void 0&&Ue.set(e.strings,t=new V(e)),t}k(e){fe(this._$AH)||(this._$AH=[],this._$AR());const t=this._$AH;let s,n=0;for(const o of e)n===t.length?t.push(s=new N(this.O(B()),this.O(B()),this,this.options)):s=t[n],s._$AI(o),n++;n<t.length&&(this._$AR(s&&s._$AB.nextSibling,n),t.length=n)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){const s=Se(e).nextSibling;Se(e).remove(),e=s}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}}class ee{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,s,n,o){this.type=1,this._$AH=d,this._$AN=void 0,this.element=e,this.name=t,this._$AM=n,this.options=o,s.length>2||s[0]!==""||s[1]!==""?(this._$AH=Array(s.length-1).fill(new String),this.strings=s):this._$AH=d}_$AI(e,t=this,s,n){const o=this.strings;let r=!1;if(o===void 0)e=H(this,e,t,0),r=!K(e)||e!==this._$AH&&e!==y,r&&(this._$AH=e);else{const l=e;let a,c;for(e=o[0],a=0;a<o.length-1;a++)c=H(this,l[s+a],t,a),c===y&&(c=this._$AH[a]),r||=!K(c)||c!==this._$AH[a],c===d?e=d:e!==d&&(e+=(c??"")+o[a+1]),this._$AH[a]=c}r&&!n&&this.j(e)}j(e){e===d?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??"")}}class Pt extends ee{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===d?void 0:e}}class Ot extends ee{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==d)}}class Ut extends ee{constructor(e,t,s,n,o){super(e,t,s,n,o),this.type=5}_$AI(e,t=this){if((e=H(this,e,t,0)??d)===y)return;const s=this._$AH,n=e===d&&s!==d||e.capture!==s.capture||e.once!==s.once||e.passive!==s.passive,o=e!==d&&(s===d||n);n&&this.element.removeEventListener(this.name,this,s),o&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}}class Ht{constructor(e,t,s){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=s}get _$AU(){return this._$AM._$AU}_$AI(e){H(this,e)}}const Nt={I:N},Lt=ue.litHtmlPolyfillSupport;Lt?.(V,N),(ue.litHtmlVersions??=[]).push("3.3.3");const Dt=(i,e,t)=>{const s=t?.renderBefore??e;let n=s._$litPart$;if(n===void 0){const o=t?.renderBefore??null;s._$litPart$=n=new N(e.insertBefore(B(),o),o,void 0,t??{})}return n._$AI(i),n};const ge=globalThis;let M=class extends O{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){const e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){const t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Dt(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return y}};M._$litElement$=!0,M.finalized=!0,ge.litElementHydrateSupport?.({LitElement:M});const Rt=ge.litElementPolyfillSupport;Rt?.({LitElement:M});(ge.litElementVersions??=[]).push("4.2.2");const zt={attribute:!0,type:String,converter:q,reflect:!1,hasChanged:pe},jt=(i=zt,e,t)=>{const{kind:s,metadata:n}=t;let o=globalThis.litPropertyMetadata.get(n);if(o===void 0&&globalThis.litPropertyMetadata.set(n,o=new Map),s==="setter"&&((i=Object.create(i)).wrapped=!0),o.set(t.name,i),s==="accessor"){const{name:r}=t;return{set(l){const a=e.get.call(this);e.set.call(this,l),this.requestUpdate(r,a,i,!0,l)},init(l){return l!==void 0&&this.C(r,void 0,i,l),l}}}if(s==="setter"){const{name:r}=t;return function(l){const a=this[r];e.call(this,l),this.requestUpdate(r,a,i,!0,l)}}throw Error("Unsupported decorator location: "+s)};function w(i){return(e,t)=>typeof t=="object"?jt(i,e,t):((s,n,o)=>{const r=n.hasOwnProperty(o);return n.constructor.createProperty(o,s),r?Object.getOwnPropertyDescriptor(n,o):void 0})(i,e,t)}function x(i){return w({...i,state:!0,attribute:!1})}const It=(i,e,t)=>(t.configurable=!0,t.enumerable=!0,Reflect.decorate&&typeof e!="object"&&Object.defineProperty(i,e,t),t);let Bt;function Kt(i){return(e,t)=>It(e,t,{get(){return(this.renderRoot??(Bt??=document.createDocumentFragment())).querySelectorAll(i)}})}const tt={ATTRIBUTE:1,CHILD:2},me=i=>(...e)=>({_$litDirective$:i,values:e});let _e=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,s){this._$Ct=e,this._$AM=t,this._$Ci=s}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}};const Vt=me(class extends _e{constructor(i){if(super(i),i.type!==tt.ATTRIBUTE||i.name!=="class"||i.strings?.length>2)throw Error("`classMap()` can only be used in the `class` attribute and must be the only part in the attribute.")}render(i){return" "+Object.keys(i).filter(e=>i[e]).join(" ")+" "}update(i,[e]){if(this.st===void 0){this.st=new Set,i.strings!==void 0&&(this.nt=new Set(i.strings.join(" ").split(/\s/).filter(s=>s!=="")));for(const s in e)e[s]&&!this.nt?.has(s)&&this.st.add(s);return this.render(e)}const t=i.element.classList;for(const s of this.st)s in e||(t.remove(s),this.st.delete(s));for(const s in e){const n=!!e[s];n===this.st.has(s)||this.nt?.has(s)||(n?(t.add(s),this.st.add(s)):(t.remove(s),this.st.delete(s)))}return y}});const Qt={},Wt=me(class extends _e{constructor(){super(...arguments),this.ot=Qt}render(i,e){return e()}update(i,[e,t]){if(Array.isArray(e)){if(Array.isArray(this.ot)&&this.ot.length===e.length&&e.every((s,n)=>s===this.ot[n]))return y}else if(this.ot===e)return y;return this.ot=Array.isArray(e)?Array.from(e):e,this.render(e,t)}}),st={slow:1e3,medium:500,fast:250},Gt=Object.entries(st).map(([i,e])=>[`${i}-dark`,e]),ae=st.fast,Z=new Set;let X;const qt=i=>{Z.add(i),nt(i,performance.now()),X===void 0&&it()},Ft=i=>{Z.delete(i),!Z.size&&(clearTimeout(X),X=void 0)},it=()=>{X=setTimeout(Yt,ae-performance.now()%ae)},Yt=()=>{const i=performance.now()+ae/10;for(const e of Z)nt(e,i);it()},nt=(i,e)=>{for(const[t,s]of Gt)i.toggleAttribute(t,Math.floor(e/s)%2===1)},Zt=u`<svg
    class="handset"
    viewBox="0 0 64 270"
    aria-hidden="true"
  >
    <defs>
      <linearGradient id="round">
        <stop offset="0" stop-color="#50575f" />
        <stop offset="0.3" stop-color="#454c54" />
        <stop offset="0.75" stop-color="#2b3036" />
        <stop offset="1" stop-color="#1d2126" />
      </linearGradient>
    </defs>
    <rect class="rest" x="1" y="1" width="62" height="268" rx="17" />
    <path
      class="shadow"
      d="M11 24Q11 11 24 11H44Q57 11 57 24V74Q57 86 49 92V180Q57 186 57 198V250Q57 263 44 263H24Q11 263 11 250V198Q11 186 19 180V92Q11 86 11 74Z"
    />
    <path
      fill="url(#round)"
      d="M7 21Q7 8 20 8H42Q55 8 55 21V72Q55 84 47 90V176Q55 182 55 194V246Q55 259 42 259H20Q7 259 7 246V194Q7 182 15 176V90Q7 84 7 72Z"
    />
    <path class="shine" d="M14 24Q14 14 23 14M21 92V174M14 240V198" />
  </svg>
  <div class="speaker"></div>`,Xt=["1","2","3","4","5","6","7","8","9","*","0","#"],Jt=u`<svg
  class="dial"
  viewBox="0 0 250 78"
  aria-hidden="true"
>
  <circle class="pad" cx="38" cy="39" r="29" />
  <circle class="well" cx="38" cy="39" r="13" />
  <circle class="pad" cx="38" cy="39" r="10" />
  <path
    class="sign"
    d="M34 18l4-4l4 4M34 60l4 4l4-4M17 35l-4 4l4 4M59 35l4 4l-4 4"
  />
  ${Xt.map((i,e)=>{const t=90+e%3*36,s=3+Math.floor(e/3)*19;return Y`<rect class="pad" x=${t} y=${s} width="30" height="15" rx="4" /><text
      x=${t+15} y=${s+11}>${i}</text>`})}
  ${[3,22,41,60].map(i=>Y`<rect class="pad" x="210" y=${i} width="36" height="15" rx="7.5" />`)}
  <path class="sign" d="M222 13.500v-3h3l3-3v9l-3-3z" />
  <path class="sign" d="M223 29.500h10M228 26v7M223 48.500h10M223 67.500h10" />
</svg>`,He={slow:"M22 7V19",medium:"M19 7V19M25 7V19",fast:"M17 7V19M22 7V19M27 7V19"},Ne=i=>u`<svg class="cap" viewBox="0 0 44 26" aria-hidden="true">
    <rect class="side" x="0.5" y="1.5" width="43" height="24" rx="6" />
    <rect class="top" x="0.5" y="0.5" width="43" height="23" rx="6" />
    <rect class="lens" x="12" y="8" width="20" height="9" rx="4.5" />
    ${i&&i.pattern!=="dark"?es(i):d}
  </svg>`,es=({pattern:i,color:e})=>Y`
  <g class="lit ${i}" fill=${e}>
    <rect fill-opacity="0.14" x="5" y="1.5" width="34" height="22" rx="11" />
    <rect fill-opacity="0.28" x="8.5" y="4.5" width="27" height="16" rx="8" />
    <rect class="light" x="12" y="8" width="20" height="9" rx="4.5" />
    <rect class="gleam" x="15" y="9.5" width="14" height="2.5" rx="1.25" />
  </g>
  ${He[i]?Y`<path class="mark" d=${He[i]} />`:d}
`,ye=(i,e)=>u`<svg class="icon ${i}" viewBox="0 0 16 16" aria-hidden="true">
    <path d=${e} />
  </svg>`,Le=ye("envelope","M1.5 3.500h13v9h-13zM1.5 4l6.5 5l6.5-5"),ts=ye("warning","M8 1.500L15 14H1zM8 6v4M8 11.500v1"),ss=ye("clock","M8 1.500a6.5 6.5 0 1 0 .01 0zM8 4v4l3 2"),is=de`
  :host {
    --card: var(--ha-card-background, var(--card-background-color, #fff));
    --text: var(--primary-text-color, #212121);
    --body: color-mix(in srgb, var(--card) 88%, var(--text));
    --edge: color-mix(in srgb, var(--card) 66%, var(--text));
    --display: #101820;
    --ink: #eaf2f8;
    --faint: #adc3d1;
    --warm: #ffcf70;
    --paper: #f7f3e8;
    display: block;
    container-type: inline-size;
    color: var(--text);
    font-size: 13px;
    line-height: 1.25;
  }

  h2,
  p {
    margin: 0;
    font: inherit;
  }

  svg {
    display: block;
  }

  button {
    font: inherit;
    color: inherit;
    text-align: inherit;
    border: 0;
    margin: 0;
    padding: 0;
    background: none;
    cursor: pointer;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
    user-select: none;
    -webkit-user-select: none;
    -webkit-touch-callout: none;
  }

  button:focus-visible {
    outline: 2px solid #fff;
    outline-offset: 0;
    box-shadow: 0 0 0 4px #0b57d0;
    border-radius: 6px;
    position: relative;
    z-index: 1;
  }

  .phone {
    display: flex;
    flex-wrap: wrap;
    align-items: flex-start;
    justify-content: center;
    gap: 10px;
  }

  /* A phone is not mirrored where one reads from right to left. */
  .body {
    direction: ltr;
    box-sizing: border-box;
    flex: 2 1 280px;
    min-width: 0;
    max-width: 640px;
    display: flex;
    gap: 10px;
    padding: 10px;
    border-radius: 18px;
    border: 1px solid var(--edge);
    background:
      linear-gradient(#ffffff2e, #ffffff00 40%, #0000001c) padding-box,
      var(--body);
    box-shadow:
      inset 0 1px 0 #ffffff40,
      0 2px 5px #00000040;
  }

  .module {
    flex: 1 1 230px;
    max-width: 420px;
    flex-direction: column;
    gap: 8px;
    border-radius: 14px;
  }

  .left {
    flex: 0 0 34px;
    display: flex;
    flex-direction: column;
    gap: 12px;
  }

  .speaker {
    flex: 1 1 0;
    max-height: 72px;
    margin-top: auto;
    background: radial-gradient(circle, #00000073 1.6px, #0000 2px) center / 7px
      7px round;
  }

  .handset {
    width: 100%;
  }

  .rest {
    fill: #00000026;
    stroke: #00000040;
  }

  .shadow {
    fill: #00000059;
  }

  .shine {
    fill: none;
    stroke: #ffffff47;
    stroke-width: 3;
    stroke-linecap: round;
  }

  .front {
    flex: 1;
    min-width: 0;
    display: flex;
    flex-direction: column;
    gap: 8px;
  }

  .display {
    display: grid;
    grid-template-columns: 1fr auto;
    align-items: center;
    gap: 2px 8px;
    padding: 8px 10px;
    border-radius: 8px;
    background: linear-gradient(160deg, #1d2a36, var(--display) 60%);
    border: 1px solid #000;
    color: var(--ink);
    box-shadow: inset 0 0 0 1px #ffffff14;
  }

  h2 {
    font-size: 16px;
    font-weight: 500;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .display p {
    grid-column: 1 / -1;
    color: var(--faint);
    min-height: 16px;
  }

  .display .problem,
  .display .messages {
    display: flex;
    align-items: center;
    gap: 6px;
  }

  .display .problem {
    color: var(--warm);
  }

  .refusing .display .problem {
    color: #ff9d94;
  }

  .display .fresh {
    color: var(--ink);
  }

  .icon {
    flex: none;
    width: 14px;
    height: 14px;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.5;
    stroke-linejoin: round;
    stroke-linecap: round;
  }

  .message-lamp {
    width: 39px;
    height: 15px;
    overflow: visible;
  }

  .message-light {
    fill: #ff453a;
    stroke: #ff453a66;
    stroke-width: 3;
    paint-order: stroke;
  }

  .lens {
    fill: #11151a;
    stroke: #59636d;
  }

  .group {
    min-width: 0;
  }

  .row {
    display: grid;
    grid-template-columns: repeat(var(--columns), minmax(0, 1fr));
  }

  .cell {
    min-width: 0;
  }

  .key {
    box-sizing: border-box;
    position: relative;
    display: flex;
    align-items: center;
    width: 100%;
    height: 40px;
    gap: 6px;
  }

  .key.end {
    flex-direction: row-reverse;
  }

  .cap {
    flex: none;
    width: 44px;
    height: 26px;
    overflow: visible;
  }

  .cap .side {
    fill: #0d1013;
  }

  .cap .top {
    fill: #333a42;
    stroke: #14181c;
  }

  .key:hover .top {
    fill: #3d4650;
  }

  .key:active:not([aria-disabled="true"]) .cap {
    transform: translateY(1px);
  }

  .key[aria-disabled="true"] {
    cursor: default;
  }

  .key[aria-disabled="true"] .side {
    opacity: 0;
  }

  .key[aria-disabled="true"] .top {
    fill: #24292e;
  }

  .confirming .top {
    stroke: var(--warm);
    stroke-width: 2.5;
  }

  .lacking .lens {
    stroke: var(--warm);
    stroke-dasharray: 3 2;
  }

  .light {
    stroke: #ffffffb0;
    stroke-width: 0.8;
  }

  .gleam {
    fill: #ffffff80;
  }

  .label {
    flex: 1;
    min-width: 0;
    display: flex;
    flex-direction: column;
  }

  /* Two lines, or one above the news. */
  .name {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
    overflow-wrap: anywhere;
  }

  .name:not(:last-child) {
    -webkit-line-clamp: 1;
    word-break: break-all;
  }

  .news {
    display: flex;
    align-items: center;
    gap: 4px;
    font-size: 11px;
    color: var(--key-faint);
  }

  .news span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .news .icon {
    width: 12px;
    height: 12px;
  }

  .news .clock {
    color: var(--key-warm);
  }

  .end .news {
    justify-content: flex-end;
  }

  .single .end .news {
    justify-content: flex-start;
  }

  .above .news {
    justify-content: center;
  }

  .plain .name {
    font-style: italic;
  }

  .confirming .news {
    font-weight: 600;
    color: var(--key-warm);
  }

  .unused {
    cursor: default;
  }

  .unused .cap {
    opacity: 0.45;
  }

  .unused .lens {
    fill: none;
    stroke: none;
  }

  /* Keys on both sides of a display, or on the right of it. */
  .screen {
    --key-faint: var(--faint);
    --key-warm: var(--warm);
  }

  .beside.screen {
    position: relative;
    color: var(--ink);
  }

  .beside.screen::before {
    content: "";
    position: absolute;
    inset: 0 50px;
    border-radius: 8px;
    border: 1px solid #000;
    background: linear-gradient(160deg, #1d2a36, var(--display) 60%);
    box-shadow: inset 0 0 0 1px #ffffff14;
  }

  .beside.screen.single::before {
    left: 0;
  }

  .beside.screen .label {
    position: relative;
  }

  .beside.screen .row + .row .label {
    box-shadow: 0 -1px #ffffff17;
  }

  .beside.screen .key.start .label {
    padding-left: 10px;
  }

  .beside.screen .key.end .label {
    padding-right: 10px;
  }

  .beside.screen:not(.single) .key.end .label {
    text-align: right;
  }

  .beside.screen.single .key.end .label {
    padding-left: 10px;
  }

  .beside.screen .label {
    height: 100%;
    justify-content: center;
  }

  /* Keys beside strips of paper. */
  .paper {
    --key-faint: #5a5243;
    --key-warm: #8a4b00;
    color: #26241f;
  }

  .beside.paper .row {
    column-gap: 8px;
  }

  .beside.paper .label {
    height: 100%;
    justify-content: center;
    padding: 0 8px;
    background: var(--paper);
    border: solid #00000040;
    border-width: 0 1px 1px;
  }

  .beside.paper .row:first-child .label {
    border-top-width: 1px;
    border-radius: 5px 5px 0 0;
  }

  .beside.paper .row:last-child .label {
    border-radius: 0 0 5px 5px;
  }

  .beside.paper .key.end .label {
    text-align: right;
  }

  /* Keys with their labels below, where it is not known how they stand. */
  .tiles {
    --key-faint: var(--text);
    --key-warm: var(--text);
    color: var(--text);
  }

  .tiles .row {
    gap: 6px;
  }

  .tiles .key {
    flex-direction: column;
    justify-content: flex-start;
    gap: 3px;
    height: 62px;
    padding-top: 4px;
    text-align: center;
  }

  .tiles .label {
    width: 100%;
    flex: none;
    font-size: 12px;
  }

  .tabs {
    display: flex;
    justify-content: center;
    gap: 6px;
    margin-top: 8px;
  }

  .tab {
    position: relative;
    min-width: 34px;
    height: 26px;
    text-align: center;
    border-radius: 13px;
    border: 1px solid var(--edge);
    background: var(--card);
    color: var(--text);
  }

  .tab[aria-current="page"] {
    background: var(--text);
    color: var(--card);
    font-weight: 600;
  }

  .page-lamp {
    position: absolute;
    top: -4px;
    right: -4px;
    width: 13px;
    height: 13px;
  }

  .note {
    font-size: 12px;
    margin-top: 6px;
  }

  .phone > .note {
    flex: 1 0 100%;
    margin: 0 4px;
  }

  .said {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .dial {
    width: 100%;
    max-height: 78px;
    margin-top: auto;
  }

  .pad {
    fill: #333a42;
    stroke: #14181c;
  }

  .well {
    fill: #14181c;
  }

  .dial .sign {
    fill: none;
    stroke: #c5cfd8;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .dial text {
    fill: #c5cfd8;
    font-size: 9px;
    text-anchor: middle;
  }

  /* Not registered, or no server: the phone is off. */
  .off .display,
  .off .beside.screen::before {
    background: #2c3136;
  }

  .off .lit {
    fill-opacity: 0.35;
  }

  .off .handset,
  .off .speaker,
  .off .dial {
    opacity: 0.5;
  }

  .silent .body,
  .off .body {
    border-style: dashed;
  }

  /* blink.ts sets these attributes. */
  @media (prefers-reduced-motion: no-preference) {
    :host([slow-dark]) .on .slow,
    :host([medium-dark]) .on .medium,
    :host([fast-dark]) .on .fast {
      visibility: hidden;
    }
  }

  .mark {
    display: none;
    stroke: #000;
    stroke-width: 2.5;
  }

  @media (prefers-reduced-motion: reduce) {
    .mark {
      display: inline;
    }
  }

  @container (min-width: 420px) {
    .left {
      flex-basis: 58px;
    }
    .body {
      padding: 14px;
      gap: 14px;
    }
    .module {
      gap: 8px;
    }
    .key {
      font-size: 14px;
    }
  }

  @container (max-width: 360px) {
    .left {
      flex-basis: 28px;
    }
    .body {
      padding: 8px;
      gap: 8px;
    }
    .beside {
      font-size: 12px;
    }
    .beside .cap {
      width: 37px;
      height: 22px;
    }
    .beside.screen::before {
      inset: 0 43px;
    }
    .beside.paper .row {
      column-gap: 6px;
    }
    .beside.paper .label {
      padding: 0 5px;
    }
    .beside.screen .key.start .label {
      padding-left: 7px;
    }
    .beside.screen .key.end .label {
      padding-right: 7px;
    }
  }

  @container (max-width: 250px) {
    .left {
      display: none;
    }
  }
`,ns=[[15,"color.red"],[45,"color.orange"],[70,"color.yellow"],[165,"color.green"],[195,"color.turquoise"],[255,"color.blue"],[290,"color.violet"],[345,"color.pink"],[360,"color.red"]],os=.2,rs=i=>{const[e,t,s]=[1,3,5].map(a=>parseInt(i.slice(a,a+2),16)/255),n=Math.max(e,t,s),o=n-Math.min(e,t,s);if(!(o>os*n))return"color.white";let r=(e-t)/o+4;n===e?r=(t-s)/o:n===t&&(r=(s-e)/o+2);const l=(r*60+360)%360;return ns.find(([a])=>l<=a)?.[1]??"color.red"},as=(i,{pattern:e,color:t})=>p(i,`lamp.${e}`,{color:p(i,rs(t))}),le=(i,e)=>e.label||e.title||p(i,"key.name",{key:e.key}),ot=(i,e)=>{const t=[];e.confirming&&t.push(p(i,"key.confirming"));const{caller:s}=e;if(s&&t.push(p(i,"key.caller",{caller:s})),e.held_by!==null){const n=e.held_by||"Home Assistant";t.push(p(i,"key.held",{phone:n}))}return e.lacking&&t.push(p(i,"key.lacking")),t},ls=(i,e)=>{const[t="0",s="0"]=e.split("/");return p(i,"key.waiting",{new:t,old:s})},hs=(i,e,t)=>{const s=[le(i,e)],n=p(i,"key.name",{key:e.key});return s.includes(n)||s.unshift(n),s.push(as(i,e),...ot(i,e)),e.waiting&&s.push(ls(i,e.waiting)),t||s.push(p(i,"key.not_pressable")),s.join(", ")};var cs=Object.defineProperty,v=(i,e,t,s)=>{for(var n=void 0,o=i.length-1,r;o>=0;o--)(r=i[o])&&(n=r(e,t,n)||n);return n&&cs(e,t,n),n};const ds="snom-phone-face",ps=2e3,us=500,fs=10;class b extends M{constructor(){super(...arguments),this.stopped=!1,this.nameless=!1,this._pages={},this._current={},this._isLate=!1,this._said="",this._keys=new Map,this._held=!1}static{this.styles=is}connectedCallback(){super.connectedCallback(),qt(this)}disconnectedCallback(){super.disconnectedCallback(),Ft(this),this._endHold(),this._endLate()}willUpdate(e){const{face:t}=this;if(!t)return;t.status!=="behind"||this.stopped?this._endLate():this._lateTimer===void 0&&(this._lateTimer=setTimeout(()=>{this._isLate=!0},ps));const s=e.get("face"),n=s?this._newsOf(s,t):[];e.has("face")&&s?.keys!==t.keys&&(this._keys=new Map(t.keys.map(o=>[o.key,o]))),this._status!==this._shownStatus&&(this._shownStatus&&n.push(this._text(this._status)),this._shownStatus=this._status),(s||n.length)&&(this._said=n.join(". "))}updated(){const e=this._focus;e!==void 0&&(this._focus=void 0,[...this._buttons].find(({dataset:t})=>t.key===e)?.focus())}render(){const{face:e}=this;if(!e)return d;const[t,...s]=e.groups,n=this.stopped||e.status==="absent";return u`<section
      class="phone ${this._status.slice(7)} ${n?"off":"on"}"
      aria-label=${e.name}
      @click=${this._click}
      @keydown=${this._keydown}
      @contextmenu=${this._contextmenu}
      @pointerdown=${this._pointerdown}
      @pointermove=${this._pointermove}
      @pointerup=${this._endHold}
      @pointercancel=${this._endHold}
      @pointerleave=${this._endHold}
    >
      <div class="body ${t&&t.columns<2?"narrow":""}">
        <div class="left">${Zt}</div>
        <div class="front">
          ${this._renderDisplay(e)}
          ${t?this._renderGroup(t,0):d}
          ${e.keys.some(W)?d:this._renderNote("phone.empty")}
          ${Jt}
        </div>
      </div>
      ${s.map((o,r)=>this._renderModule(o,r+1))}
      ${e.may.press?d:this._renderNote("phone.no_press")}
      <p class="said" role="status">${this._said}</p>
    </section>`}_renderDisplay(e){const{messages:t}=e,s=this._status,n=t?.new??0,o=[e.maker,e.model].filter(Boolean).join(" ");return u`<div class="display">
      <h2 dir="auto">${this.nameless?o:e.name}</h2>
      <svg class="message-lamp" viewBox="0 0 26 10" aria-hidden="true">
        <rect class="lens" x="3" y="2" width="20" height="6" rx="3" />
        ${n?u`<svg class="lit medium">
                <rect
                  class="message-light"
                  x="3"
                  y="2"
                  width="20"
                  height="6"
                  rx="3"
                />
              </svg>`:d}
      </svg>
      ${s==="status.in_sync"?u`<p class="model" dir="auto">
              ${this.nameless?d:o}
            </p>`:u`<p class="problem">${ts}${this._text(s)}</p>`}
      ${t&&n+t.old?u`<p class="messages ${n?"fresh":""}">
              ${Le}${this._text("phone.messages",{...t})}
            </p>`:d}
    </div>`}_renderModule(e,t){return u`<div class="body module">
      <p class="model" dir="auto">${this._groupName(e,t)}</p>
      ${this._renderGroup(e,t)}
    </div>`}_renderGroup(e,t){const s=this._page(t),n=Math.max(e.columns,1),o=[];for(let c=0;c<s.keys.length;c+=n)o.push(s.keys.slice(c,c+n));const r=this._usedKeys(s),l=this._currentKey(t,r),a=n>2||e.kind==="generic"?"tiles":"beside";return u`<div class="group">
      <div
        class="keys ${e.kind} ${a} ${n===1?"single":""}"
        role="grid"
        aria-label=${this._groupName(e,t)}
        data-group=${t}
      >
        ${o.map(c=>u`<div class="row" role="row" style="--columns: ${n}">
              ${c.map((g,h)=>this._renderKey(g,_s(e,n,h),g===l))}
            </div>`)}
      </div>
      ${s.pages>1?this._renderTabs(s):d}
      ${e.kind==="generic"?this._renderNote("phone.generic"):d}
    </div>`}_renderKey(e,t,s){const n=this._keys.get(e),o=n!==void 0&&this._isPressable(n),{language:r}=this,l=this._showsLacking&&!!n?.lacking;return Wt([n,e,t,s,o,l,r],()=>W(n)?u`<div class="cell" role="gridcell">
              ${this._renderUsed({...n,lacking:l},t,s,o)}
            </div>`:u`<div class="cell" role="gridcell">
              <div class="key unused ${t}" data-key=${e}>
                ${Ne(void 0)}<span class="label"></span>
              </div>
            </div>`)}_renderUsed(e,t,s,n){const{language:o}=this,r=hs(o,e,n),l=ot(o,e),{lacking:a,confirming:c}=e,g=!e.label;return u`<button
      type="button"
      class=${Vt({key:!0,[t]:!0,lacking:a,confirming:c,plain:g})}
      data-key=${e.key}
      tabindex=${s?0:-1}
      aria-label=${r}
      aria-disabled=${n?"false":"true"}
      title=${r}
    >
      ${Ne(e)}
      <span class="label">
        <span class="name" dir="auto">${le(o,e)}</span>
        ${l.length||e.waiting||a?u`<span class="news">
                ${a?ss:d}
                ${e.waiting?u`${Le}${e.waiting}`:d}
                <span dir="auto">${l.join(" · ")}</span>
              </span>`:d}
      </span>
    </button>`}_renderTabs({group:e,page:t,pages:s}){return u`<div
      class="tabs"
      role="group"
      aria-label=${this._text("phone.pages")}
    >
      ${Array.from({length:s},(n,o)=>{const r=this._page(e,o).keys.flatMap(g=>{const h=this._keys.get(g);return h&&h.pattern!=="dark"?[h]:[]}),l=o===t,[a]=l?[]:r.sort(ms),c=a?this._text("phone.page_lit",{page:o+1,lamps:r.length}):this._text("phone.page",{page:o+1});return u`<button
          type="button"
          class="tab"
          data-page=${o}
          data-group=${e}
          aria-current=${l?"page":"false"}
          aria-label=${c}
          title=${c}
        >
          ${o+1}${a?u`<svg
                  class="page-lamp"
                  viewBox="0 0 10 10"
                  aria-hidden="true"
                >
                  <circle class="lens" cx="5" cy="5" r="4.5" />
                  <circle
                    class="lit ${a.pattern}"
                    cx="5"
                    cy="5"
                    r="3.5"
                    fill=${a.color}
                  />
                </svg>`:d}
        </button>`})}
    </div>`}_renderNote(e){return u`<p class="note">${this._text(e)}</p>`}_text(e,t){return p(this.language,e,t)}_groupName({module:e},t){return e?this._text("phone.module",{model:e}):this._text(t?"phone.more":"phone.keys")}get _status(){const{status:e="in_sync"}=this.face??{};return this.stopped?"status.stopped":e==="behind"&&!this._isLate?"status.in_sync":`status.${e}`}get _showsLacking(){return["status.behind","status.refusing"].includes(this._status)}_endLate(){clearTimeout(this._lateTimer),this._lateTimer=void 0,this._isLate=!1}_newsOf(e,{messages:t,keys:s}){const n=[];t&&t.new>(e.messages?.new??0)&&n.push(this._text("phone.messages",{...t}));for(const o of s)if(o.confirming&&!this._keys.get(o.key)?.confirming){const r=le(this.language,o);n.push(`${r}: ${this._text("key.confirming")}`)}return n}_page(e,t=this._pages[e]??0){const s=this.face?.groups[e],n=s?.keys??[],o=Math.max((s?.columns??1)*(s?.rows??1),1),r=Math.max(Math.ceil(n.length/o),1),l=Math.min(t,r-1);return{group:e,page:l,pages:r,keys:n.slice(l*o,(l+1)*o)}}_usedKeys(e){return e.keys.filter(t=>W(this._keys.get(t)))}_currentKey(e,t){const s=this._current[e];return s!==void 0&&t.includes(s)?s:t[0]}_isPressable(e){return e.pressable&&!this.stopped&&!!this.face?.may.press}_turn(e,t){const s=this._page(e);return t<0||t>=s.pages||t===s.page?!1:(this._pages={...this._pages,[e]:t},this._said=this._text("phone.page",{page:t+1}),!0)}_focusKey(e,t){t!==void 0&&(this._current={...this._current,[e]:t},this._focus=t)}_fire(e,t){this.dispatchEvent(new CustomEvent(e,{detail:t}))}_click(e){const t=R(e,"button.tab");if(t){this._turn(Number(t.dataset.group),Number(t.dataset.page));return}const s=R(e,"button.key"),n=this._keys.get(s?.dataset.key??"");if(!s||!n)return;const o=this._held&&e.detail>0;if(this._held=!1,o)return;const r=Re(s);this._current={...this._current,[r]:n.key},this._isPressable(n)&&this._fire("key-press",n.key)}_pointerdown(e){this._endHold(),this._held=!1;const t=R(e,"button.key")?.dataset.key;t===void 0||e.button!==0||(this._start={x:e.clientX,y:e.clientY},this._timer=setTimeout(()=>{this._hold(t)},us))}_pointermove(e){if(!this._start)return;const{x:t,y:s}=this._start;Math.hypot(e.clientX-t,e.clientY-s)>fs&&this._endHold()}_endHold(){clearTimeout(this._timer),this._start=void 0}_hold(e){this._endHold(),!this._held&&(this._held=!0,this._fire("key-hold",e))}_contextmenu(e){const t=R(e,"button.key")?.dataset.key;t!==void 0&&(e.preventDefault(),this._hold(t))}_keydown(e){const t=R(e,"button.key"),s=t?.dataset.key;if(!(!t||s===void 0)){if(e.repeat||(this._held=!1),e.key==="ContextMenu"||e.key==="F10"&&e.shiftKey){e.preventDefault(),this._hold(s);return}if(!(e.altKey||e.ctrlKey||e.metaKey)){if(e.repeat&&(e.key==="Enter"||e.key===" ")){e.preventDefault();return}this._move(e.key,Re(t),s)&&e.preventDefault()}}}_move(e,t,s){const n=this._page(t),o=this._usedKeys(n),r=o.indexOf(s);if(e==="PageUp"||e==="PageDown"){const l=n.page+(e==="PageUp"?-1:1);if(this._turn(t,l)){const a=this._usedKeys(this._page(t));this._focusKey(t,a[Math.min(r,a.length-1)])}return n.pages>1}if(e==="Home")this._focusKey(t,o[0]);else if(e==="End")this._focusKey(t,o.at(-1));else{const l=this.face?.groups[t]?.columns??1,a=gs[e]?.(l);if(a===void 0)return!1;const c=this._next(n,n.keys.indexOf(s),a,l);this._focusKey(t,c??o[r+Math.sign(a)])}return!0}_next({keys:e},t,s,n){const o=Math.floor(t/n);for(let r=t+s;r>=0&&r<e.length;r+=s){const l=Math.floor(r/n)===o;if(Math.abs(s)<n&&!l)return;const a=e[r];if(a!==void 0&&W(this._keys.get(a)))return a}}}v([w({attribute:!1})],b.prototype,"face");v([w({attribute:!1})],b.prototype,"language");v([w({type:Boolean})],b.prototype,"stopped");v([w({type:Boolean})],b.prototype,"nameless");v([Kt("button.key")],b.prototype,"_buttons");v([x()],b.prototype,"_pages");v([x()],b.prototype,"_current");v([x()],b.prototype,"_isLate");v([x()],b.prototype,"_said");const gs={ArrowLeft:()=>-1,ArrowRight:()=>1,ArrowUp:i=>-i,ArrowDown:i=>i},De=["fast","medium","slow","steady"],ms=(i,e)=>De.indexOf(i.pattern)-De.indexOf(e.pattern),W=i=>i!==void 0&&(i.kind!=="none"||i.pattern!=="dark"||i.label!==""),_s=(i,e,t)=>{if(e>2||i.kind==="generic")return"above";const s=e===2?t===0:i.kind==="paper",n=i.kind==="paper"&&e===2;return s===n?"end":"start"},Re=i=>Number(i.closest("[data-group]")?.dataset.group),R=(i,e)=>i.target instanceof Element?i.target.closest(e):null;const{I:ys}=Nt,ze=i=>i,je=()=>document.createComment(""),z=(i,e,t)=>{const s=i._$AA.parentNode,n=e===void 0?i._$AB:e._$AA;if(t===void 0){const o=s.insertBefore(je(),n),r=s.insertBefore(je(),n);t=new ys(o,r,i,i.options)}else{const o=t._$AB.nextSibling,r=t._$AM,l=r!==i;if(l){let a;t._$AQ?.(i),t._$AM=i,t._$AP!==void 0&&(a=i._$AU)!==r._$AU&&t._$AP(a)}if(o!==n||l){let a=t._$AA;for(;a!==o;){const c=ze(a).nextSibling;ze(s).insertBefore(a,n),a=c}}}return t},S=(i,e,t=i)=>(i._$AI(e,t),i),bs={},$s=(i,e=bs)=>i._$AH=e,ws=i=>i._$AH,oe=i=>{i._$AR(),i._$AA.remove()};const Ie=(i,e,t)=>{const s=new Map;for(let n=e;n<=t;n++)s.set(i[n],n);return s},xs=me(class extends _e{constructor(i){if(super(i),i.type!==tt.CHILD)throw Error("repeat() can only be used in text expressions")}dt(i,e,t){let s;t===void 0?t=e:e!==void 0&&(s=e);const n=[],o=[];let r=0;for(const l of i)n[r]=s?s(l,r):r,o[r]=t(l,r),r++;return{values:o,keys:n}}render(i,e,t){return this.dt(i,e,t).values}update(i,[e,t,s]){const n=ws(i),{values:o,keys:r}=this.dt(e,t,s);if(!Array.isArray(n))return this.ut=r,o;const l=this.ut??=[],a=[];let c,g,h=0,m=n.length-1,f=0,_=o.length-1;for(;h<=m&&f<=_;)if(n[h]===null)h++;else if(n[m]===null)m--;else if(l[h]===r[f])a[f]=S(n[h],o[f]),h++,f++;else if(l[m]===r[_])a[_]=S(n[m],o[_]),m--,_--;else if(l[h]===r[_])a[_]=S(n[h],o[_]),z(i,a[_+1],n[h]),h++,_--;else if(l[m]===r[f])a[f]=S(n[m],o[f]),z(i,n[h],n[m]),m--,f++;else if(c===void 0&&(c=Ie(r,f,_),g=Ie(l,h,m)),c.has(l[h]))if(c.has(l[m])){const $=g.get(r[f]),ie=$!==void 0?n[$]:null;if(ie===null){const $e=z(i,n[h]);S($e,o[f]),a[f]=$e}else a[f]=S(ie,o[f]),z(i,n[h],ie),n[$]=null;f++}else oe(n[m]),m--;else oe(n[h]),h++;for(;f<=_;){const $=z(i,a[_+1]);S($,o[f]),a[f++]=$}for(;h<=m;){const $=n[h++];$!==null&&oe($)}return this.ut=r,$s(i,a),y}});var vs=Object.defineProperty,be=(i,e,t,s)=>{for(var n=void 0,o=i.length-1,r;o>=0;o--)(r=i[o])&&(n=r(e,t,n)||n);return n&&vs(e,t,n),n};const ks="snom-phones-panel";class te extends M{constructor(){super(...arguments),this.narrow=!1}static{this.styles=de`
    header {
      display: flex;
      align-items: center;
      min-height: var(--header-height, 56px);
      padding-inline: 12px;
      background-color: var(--app-header-background-color);
      color: var(--app-header-text-color);
    }
    h1 {
      margin: 0;
      font-size: 20px;
      font-weight: 400;
    }
    main {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr));
      gap: 16px;
      padding: 16px;
    }
  `}render(){const e=this.hass?.language,t=this._devices();return u`
      <header>
        <ha-menu-button
          .hass=${this.hass}
          .narrow=${this.narrow}
        ></ha-menu-button>
        <h1>${p(e,"panel.title")}</h1>
      </header>
      <main>
        ${t.length?xs(t,s=>s,s=>this._renderCard(s)):p(e,"panel.empty")}
      </main>
    `}_devices(){const[e]=(this.route?.path??"").split("/").filter(Boolean);return e?[e]:this.hass?Q(this.hass).map(({id:t})=>t):[]}_renderCard(e){return u`<snom-phone-card
      .hass=${this.hass}
      .config=${{type:`custom:${I}`,device_id:e}}
    ></snom-phone-card>`}}be([w({attribute:!1})],te.prototype,"hass");be([w({type:Boolean})],te.prototype,"narrow");be([w({attribute:!1})],te.prototype,"route");const Be=[["example.light","steady","#ffc400"],["example.door","steady","#ff2a1f"],["example.garage","slow","#ffc400"],["example.heating","dark","#00c853"],["example.music","steady","#00c853"],["example.alarm","dark","#ff2a1f"],["example.mail","fast","#ff2a1f"],["example.night","dark","#00c853"]],As=i=>({name:p(i,"example.name"),maker:"",model:"",card:"",may:{press:!0,arrange:!1},status:"in_sync",messages:null,groups:[{kind:"screen",module:null,columns:2,rows:4,keys:Be.map((e,t)=>`${t+1}`)}],keys:Be.map(([e,t,s],n)=>({key:`${n+1}`,kind:"light",title:"",label:p(i,e),caller:"",waiting:"",light:t==="dark"?"off":"on",pattern:t,color:s,held_by:null,lacking:!1,confirming:!1,pressable:!1,entity_id:null}))}),Ke=new URL(import.meta.url).searchParams.get("v")??"";var Es=Object.defineProperty,L=(i,e,t,s)=>{for(var n=void 0,o=i.length-1,r;o>=0;o--)(r=i[o])&&(n=r(e,t,n)||n);return n&&Es(e,t,n),n};const Ss={not_found:"card.unknown",unauthorized:"card.refused"};class P extends M{constructor(){super(...arguments),this._hasStopped=!1,this._missing="card.waiting",this._error="",this._reconnected=()=>{this._subscription=void 0,this._followed=void 0,this._follow()}}static{this.styles=de`
    :host {
      display: block;
      height: 100%;
    }
    /* A user can set fewer rows than the drawing needs. */
    ha-card {
      box-sizing: border-box;
      height: 100%;
      padding: 8px;
      overflow: auto;
    }
    p {
      margin: 0;
    }
    p[role="status"] {
      padding: 8px;
    }
    .bar {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: space-between;
      gap: 8px;
      padding-block-end: 10px;
    }
    .error {
      padding-block-start: 10px;
      color: var(--primary-text-color);
    }
    .error::before {
      content: "⚠ ";
    }
    button {
      min-height: 32px;
      padding-inline: 14px;
      border: 0;
      border-radius: 16px;
      font: inherit;
      color: var(--card-background-color, #fff);
      background: var(--primary-text-color, #212121);
      cursor: pointer;
    }
  `}static{this.getStubConfig=ft}static{this.getConfigForm=gt}set config(e){this.setConfig(e)}setConfig(e){qe(e),this._config=e}getCardSize(){const e=(this._phone?.groups??[]).map(t=>t.rows);return 4+Math.max(...e,2)}getGridOptions(){return{columns:12,min_columns:6}}connectedCallback(){super.connectedCallback(),this._follow()}disconnectedCallback(){super.disconnectedCallback(),this._unfollow()}shouldUpdate(e){const t=e.get("hass");return e.size>1||!t||t.language!==this.hass?.language||t.config.components!==this.hass.config.components}willUpdate(e){(e.has("hass")||e.has("_config"))&&this._follow()}render(){const e=this.hass?.language;if(!this._config?.device_id)return this._renderExample();const t=this._phone;return t?u`<ha-card>
      ${t.card===Ke||!Ke?d:u`<div class="bar" role="alert">
              <p>${p(e,"card.reload")}</p>
              <button type="button" @click=${this._reload}>
                ${p(e,"card.reload_now")}
              </button>
            </div>`}
      <snom-phone-face
        .face=${t}
        .language=${e}
        .stopped=${this._hasStopped}
        .nameless=${this._config.show_name===!1}
        @key-press=${this._press}
        @key-hold=${this._showMore}
      ></snom-phone-face>
      ${this._error?u`<p class="error" role="alert">${this._error}</p>`:d}
    </ha-card>`:this._renderText(this._missing)}_renderExample(){const{hass:e}=this,t=e&&!Q(e).length,s=p(e?.language,t?"panel.empty":"card.no_device");return u`<ha-card>
      <p role="status">${s}</p>
      <snom-phone-face
        .face=${As(e?.language)}
        .language=${e?.language}
      ></snom-phone-face>
    </ha-card>`}_renderText(e){const t=p(this.hass?.language,e,{message:this._error});return u`<ha-card><p role="status">${t}</p></ha-card>`}_follow(){const e=this._config?.device_id;!this.isConnected||!this.hass||e===this._followed||(this._unfollow(),e!==this._shown&&(this._shown=e,this._phone=void 0,this._hasStopped=!1,this._missing="card.waiting",this._error=""),!(!e||!this.hass.config.components.includes(U))&&(this._followed=e,this._subscribe(this.hass.connection,e)))}_subscribe(e,t){const s=e.subscribeMessage(n=>{this._subscription===s&&this._take(n)},{type:`${U}/phone/subscribe`,device_id:t},{resubscribe:!1});this._subscription=s,this._connection=e,e.addEventListener("ready",this._reconnected),s.catch(n=>{this._subscription===s&&this._fail(n)})}_fail({code:e="",message:t=""}){if(this._subscription=void 0,e==="unknown_command"){this._followed=void 0;return}this._phone=void 0,this._error=t,this._missing=Ss[e]??"card.failed"}_unfollow(){this._connection?.removeEventListener("ready",this._reconnected),this._subscription?.then(e=>e()).catch(()=>{}),this._subscription=void 0,this._followed=void 0}_take(e){"phone"in e?(this._phone=e.phone,this._hasStopped=!1):"changes"in e?this._phone&&(this._phone=Ts(this._phone,e.changes)):e.gone==="stopped"?(this._hasStopped=!0,this._missing="card.stopped"):(this._phone=void 0,this._missing="card.removed")}_reload(){location.reload()}async _press({detail:e}){const{hass:t}=this;if(t){this._error="";try{const s={device_id:this._shown,key:e};await t.callService(U,"press_key",s,void 0,!1)}catch(s){this._error=await ht(t,s)}}}_showMore({detail:e}){const t=this._phone?.keys.find(({key:s})=>s===e);t?.entity_id&&this.dispatchEvent(new CustomEvent("hass-more-info",{detail:{entityId:t.entity_id},bubbles:!0,composed:!0}))}}L([w({attribute:!1})],P.prototype,"hass");L([x()],P.prototype,"_config");L([x()],P.prototype,"_phone");L([x()],P.prototype,"_hasStopped");L([x()],P.prototype,"_missing");L([x()],P.prototype,"_error");const Ts=(i,{keys:e=[],...t})=>{const s=new Map(e.map(n=>[n.key,n]));return{...i,...t,keys:s.size?i.keys.map(n=>s.get(n.key)??n):i.keys}},Ve="snom-phones",Qe="mdi:deskphone",re=i=>({type:"grid",cards:[i]});class Ms extends HTMLElement{static{this.noEditor=!0}static{this.registryDependencies=["devices","entities"]}static getCreateSuggestions(e){return{title:p(e.language,"panel.title"),icon:Qe}}static generate(e,t){const{language:s}=t,n=Q(t).map(({id:r})=>re({type:`custom:${I}`,device_id:r})),o=at(t).flatMap(({id:r})=>lt(t,r));if(o.length){const r=p(s,"strategy.lines");n.push(re({type:"entities",title:r,entities:o}))}if(!n.length){const r=p(s,"strategy.empty");n.push(re({type:"markdown",content:r}))}return Promise.resolve({views:[{type:"sections",title:p(s,"panel.title"),icon:Qe,dense_section_placement:!0,sections:n}]})}}const rt="https://github.com/snom-buttons/snom_buttons/blob/main/docs/card.md",se=(i,e)=>customElements.get(i)?!1:(customElements.define(i,e),!0);se(ds,b);se(ks,te);se(I,P)&&(window.customCards??=[]).push({type:I,get name(){return p(A(),"card.name")},get description(){return p(A(),"card.description")},preview:!0,documentationURL:rt,getEntitySuggestion:mt});se(`ll-strategy-dashboard-${Ve}`,Ms)&&(window.customStrategies??=[]).push({type:Ve,strategyType:"dashboard",get name(){return p(A(),"panel.title")},get description(){return p(A(),"strategy.description")},documentationURL:rt});
/**
 * @license
 * Copyright 2019 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
/**
 * @license
 * Copyright 2018 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
/**
 * @license
 * Copyright 2020 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
